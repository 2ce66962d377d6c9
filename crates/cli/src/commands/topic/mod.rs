//! `ottla topic ...`

mod alter;
mod create;
mod delete;
mod describe;
mod list;
mod trim;

pub use alter::COMMAND as ALTER;
pub use create::COMMAND as CREATE;
pub use delete::COMMAND as DELETE;
pub use describe::COMMAND as DESCRIBE;
pub use list::COMMAND as LIST;
pub use trim::COMMAND as TRIM;
pub(crate) use trim::{partitions, topic_and_partition};
