//! Alterations of settings on their way to the controller, however a request says them.

use metadata::MetadataImage;
use metadata::controller::{self, AlterConfigs, Alteration, Altered};
use protocol::Str;
use types::ErrorCode;

use crate::Broker;
use crate::config_rules::Rules;

/// Has the controller decide; the answers come when the new settings hold.
pub(crate) async fn alter(
    broker: &Broker,
    alterations: Vec<Alteration>,
    validate_only: bool,
) -> Vec<Altered> {
    let unavailable: Vec<Altered> = alterations.iter().map(unavailable).collect();
    let (config, id) = (broker.config.clone(), broker.id());
    let decide = move |image: &MetadataImage| {
        let rules = Rules {
            config: &config,
            image,
        };
        let context = AlterConfigs {
            broker: id,
            rules: &rules,
        };
        controller::alter_configs(image, &alterations, validate_only, &context)
    };
    broker.quorum().propose(decide).await.unwrap_or(unavailable)
}

fn unavailable(alteration: &Alteration) -> Altered {
    Altered {
        kind: alteration.kind,
        name: alteration.name.clone(),
        outcome: Err((
            ErrorCode::NotController,
            "the controller does not answer".to_owned(),
        )),
    }
}

/// Code and message of an answer.
pub(crate) fn told(outcome: Result<(), (ErrorCode, String)>) -> (i16, Option<Str>) {
    match outcome {
        Ok(()) => (ErrorCode::None.code(), None),
        Err((code, message)) => (code.code(), Some(message.into())),
    }
}
