//! `ottla cluster ...`

mod config;
mod describe;
mod features;

pub use config::COMMAND as CONFIG;
pub use describe::COMMAND as DESCRIBE;
pub use features::COMMAND as FEATURES;
