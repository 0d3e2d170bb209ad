//! Notes what is to be delivered to webhooks, in the transaction that makes it so.

use flash_wire::message::MessageChange;
use tokio_postgres::Transaction;

use crate::number::to_sql;
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;

/// The reservations that something has happened to.
#[derive(Debug, Default)]
pub(crate) struct Touched<'a> {
    sales: Vec<&'a str>,
    ids: Vec<i64>,
}

impl<'a> Touched<'a> {
    pub(crate) fn add(&mut self, step: &Step<'a>) {
        let (sale, seq) = (step.sale, step.event.seq);
        match &step.event.change {
            MessageChange::Reserved(_) => self.push(sale, seq),
            MessageChange::Confirmed { id } | MessageChange::Released { id } => self.push(sale, *id),
            MessageChange::Expired { ids } => ids.iter().for_each(|id| self.push(sale, *id)),
            _ => {}
        }
    }

    fn push(&mut self, sale: &'a str, id: u64) {
        self.sales.push(sale);
        self.ids.push(to_sql(id));
    }
}

/// Notes what became of them. Where there is no webhook, that is one question a batch.
pub(crate) async fn announce(
    transaction: &Transaction<'_>,
    statements: &Statements,
    touched: &Touched<'_>,
) -> Result<(), tokio_postgres::Error> {
    if touched.ids.is_empty() || !transaction.query_one(&statements.is_anyone_to_hear, &[]).await?.get::<_, bool>(0) {
        return Ok(());
    }
    transaction.execute(sql::webhooks::ANNOUNCE, &[&touched.sales, &touched.ids]).await?;
    Ok(())
}
