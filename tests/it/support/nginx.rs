//! Debian's nginx on deploy/nginx.conf, as a child process that dies with the test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::wait;
use super::world::free_address;

/// A running nginx.
pub(crate) struct Nginx {
    /// Buyers'.
    pub(crate) address: SocketAddr,
    pub(crate) operators: SocketAddr,
    child: Child,
    _dir: TempDir,
}

impl Nginx {
    /// In front of these gateways, without operators.
    pub(crate) fn start(gateways: [SocketAddr; 2]) -> Self {
        Self::start_for_operators(gateways, gateways)
    }

    /// In front of these gateways: where buyers reach them, and where operators do.
    pub(crate) fn start_for_operators(gateways: [SocketAddr; 2], of_operators: [SocketAddr; 2]) -> Self {
        let (address, operators) = (free_address(), free_address());
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("nginx.conf");
        fs::write(&file, config([(address, gateways), (operators, of_operators)], dir.path())).expect("writable");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", program(), "-e", "stderr"]);
        // One process: what kills it leaves no worker.
        command.arg("-p").arg(dir.path()).arg("-c").arg(&file).args(["-g", "daemon off; master_process off;"]);
        let child = command.stdout(Stdio::null()).spawn().expect("nginx starts: scripts/bootstrap installs it");
        let nginx = Self { address, operators, child, _dir: dir };
        wait::until("nginx", || super::http::Http::connect(address).ok());
        nginx
    }

    /// The ports that it listens on.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let open = fs::read_dir(process.join("fd")).expect("it runs").flatten();
        let sockets: Vec<String> =
            open.flat_map(|fd| fs::read_link(fd.path())).map(|to| to.display().to_string()).collect();
        let listens = |line: &str| -> Option<u16> {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (local, state, inode) = (words.get(1)?, words.get(3)?, words.get(9)?);
            let is_ours = *state == "0A" && sockets.contains(&format!("socket:[{inode}]"));
            is_ours.then(|| u16::from_str_radix(local.rsplit(':').next()?, 16).ok())?
        };
        let tables = ["net/tcp", "net/tcp6"].map(|table| fs::read_to_string(process.join(table)).unwrap_or_default());
        tables.iter().flat_map(|table| table.lines()).filter_map(listens).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended already.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// Debian has it where a user's path does not lead.
fn program() -> &'static str {
    ["/usr/sbin/nginx", "/usr/local/sbin/nginx"].into_iter().find(|path| Path::new(path).is_file()).unwrap_or("nginx")
}

/// deploy/nginx.conf, but for what is the container's: its addresses, its directories, and Docker's name for the
/// gateways.
fn config([buyers, operators]: [(SocketAddr, [SocketAddr; 2]); 2], dir: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/nginx.conf");
    let mut text = fs::read_to_string(path).expect("it is there");
    let dir = dir.display();
    let parameters = "max_fails=3 fail_timeout=2s";
    let servers =
        |[first, second]: [SocketAddr; 2]| format!("server {first} {parameters}; server {second} {parameters};");
    for (of_container, of_test) in [
        ("listen 8080 ", format!("listen {} ", buyers.0)),
        ("listen 9090;", format!("listen {};", operators.0)),
        ("pid /tmp/", format!("pid {dir}/")),
        ("_temp_path /tmp/", format!("_temp_path {dir}/")),
        ("access_log /dev/stdout line buffer=64k flush=1s", format!("access_log {dir}/access line")),
        ("server gateway:8080 resolve max_fails=3 fail_timeout=2s;", servers(buyers.1)),
        ("server gateway:9090 resolve max_fails=3 fail_timeout=2s;", servers(operators.1)),
    ] {
        assert!(text.contains(of_container), "deploy/nginx.conf has no {of_container:?} any more");
        text = text.replace(of_container, &of_test);
    }
    text
}
