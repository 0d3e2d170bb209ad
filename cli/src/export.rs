//! `flash export`: orders for spreadsheets and other programs.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use flash_vault::{Exported, OrderExport};

use crate::args::{Export, ExportCommand, ExportFormat, ExportOrders};
use crate::runtime::block_on;
use crate::servers;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;
/// The exit code of a sale that is not there.
const UNKNOWN_SALE: u8 = 2;
/// What to say of an export that ended early: a part must not pass for the whole.
const INCOMPLETE: &str = "the export is incomplete";

/// Carries out one of the subcommands.
pub(crate) fn run(args: &Export) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    let ExportCommand::Orders(args) = &args.command;
    flash_wire::key::check_sale(&args.sale).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    block_on(orders(args, &postgres))
}

async fn orders(args: &ExportOrders, postgres: &str) -> Result<ExitCode> {
    let mut vault = servers::postgres(postgres).await?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let (format, mut lines) = match args.format {
        ExportFormat::Csv => (flash_vault::ExportFormat::Csv, Some(CrLf::default())),
        ExportFormat::Jsonl => (flash_vault::ExportFormat::JsonLines, None),
    };
    let export = OrderExport { sale: &args.sale, since_ms: args.since.unwrap_or(0), format };
    let exported = flash_vault::export_orders(&mut vault, export, |piece| match &mut lines {
        Some(lines) => lines.write(piece, &mut out),
        None => out.write_all(piece),
    });
    match exported.await.context(INCOMPLETE)? {
        Exported::All => {
            out.flush().context(INCOMPLETE)?;
            Ok(ExitCode::SUCCESS)
        }
        Exported::UnknownSale => {
            eprintln!("flash: no such sale: {}", args.sale);
            Ok(ExitCode::from(UNKNOWN_SALE))
        }
        Exported::NotWritten(error) => Err(error).context(INCOMPLETE),
    }
}

/// Ends lines of CSV by CR LF, as RFC 4180 has it. PostgreSQL ends them by LF. A line break within quotes is a cell's.
#[derive(Default)]
struct CrLf {
    /// The bytes so far end within quotes.
    is_quoted: bool,
}

impl CrLf {
    fn write(&mut self, piece: &[u8], out: &mut impl Write) -> io::Result<()> {
        for line in piece.split_inclusive(|&byte| byte == b'\n') {
            // A quote within quotes is doubled, so it changes nothing.
            let quotes = line.iter().filter(|&&byte| byte == b'"').count();
            self.is_quoted ^= quotes % 2 == 1;
            match line.strip_suffix(b"\n") {
                Some(rest) if !self.is_quoted => {
                    out.write_all(rest)?;
                    out.write_all(b"\r\n")?;
                }
                _ => out.write_all(line)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_by_cr_lf_and_cells_keep_their_line_breaks() {
        for (csv, want) in [
            ("a,b\n1,2\n", "a,b\r\n1,2\r\n"),
            ("\"x\ny\",2\n3,4\n", "\"x\ny\",2\r\n3,4\r\n"),
            ("\"say \"\"\n\"\" twice\"\n", "\"say \"\"\n\"\" twice\"\r\n"),
            ("\"\",1\n", "\"\",1\r\n"),
            ("", ""),
        ] {
            for cut in 0..=csv.len() {
                let (mut lines, mut out) = (CrLf::default(), Vec::new());
                for piece in [&csv[..cut], &csv[cut..]] {
                    lines.write(piece.as_bytes(), &mut out).unwrap();
                }
                assert_eq!(String::from_utf8(out).unwrap(), want, "{csv:?} cut at {cut}");
            }
        }
    }
}
