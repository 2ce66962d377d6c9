//! `ottla group ...`

mod delete;
mod describe;
mod lag;
mod list;
mod reset;

pub use delete::COMMAND as DELETE;
pub use describe::COMMAND as DESCRIBE;
pub use lag::COMMAND as LAG;
pub use list::COMMAND as LIST;
pub use reset::COMMAND as RESET;
