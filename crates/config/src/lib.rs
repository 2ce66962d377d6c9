//! Settings: what there is, what is legal, where it was said, and what it comes to.

mod alter;
mod broker;
mod connections;
mod describe;
mod groups;
mod listeners;
mod load;
mod reference;
mod table;
mod topic;
mod value;

pub use alter::{
    Of, Refusal, check_broker, check_client_metrics, check_group, dynamic_broker_kind, is_dynamic,
};
pub use broker::{BrokerConfig, Flush};
pub use connections::ConnectionSettings;
pub use describe::{
    ConfigEntry, ConfigSource, Dynamic, Synonym, describe_broker, describe_client_metrics, describe_defaults,
    describe_group, describe_topic,
};
pub use groups::GroupSettings;
pub use listeners::{ListenerAddress, parse_advertised, parse_listeners};
pub use load::{Layers, Loaded};
pub use reference::reference_markdown;
pub use table::{Kind, Rule, Scope, Setting, broker_settings, find, group_settings, nearest, topic_settings};
pub use topic::{Compression, TimestampType, TopicConfig, check_topic};
pub use value::check;

/// Why a configuration cannot be used. The text names the setting, what was said and what is legal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the setting \"{name}\" is not known{}", hint(nearest))]
    Unknown {
        name: String,
        nearest: Option<&'static str>,
    },
    #[error("{name}={value} is not legal: {wanted}")]
    Value {
        name: String,
        value: String,
        wanted: String,
    },
    #[error("line {line}: {what}")]
    Syntax { line: usize, what: String },
}

fn hint(nearest: &Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}
