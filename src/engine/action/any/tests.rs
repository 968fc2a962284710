//! Every kind of action as receipts hold it, now and in earlier releases.

use crate::engine::action::AnyAction;
use crate::model::receipt::{Receipt, StepState};

/// A receipt as release 0.1.0 wrote it; never to be edited.
const OLD: &str = include_str!("../../../../tests/fixtures/receipts/0.1.0.json");

#[test]
fn receipts_of_0_1_0_keep_parsing() {
    let receipt: Receipt<AnyAction> = serde_json::from_str(OLD).unwrap();
    assert_eq!(receipt.steps.len(), 7);
    assert_eq!(receipt.steps[0].state, StepState::Done);
}

#[test]
fn every_action_survives_the_way_through_json() {
    let receipt: Receipt<AnyAction> = serde_json::from_str(OLD).unwrap();
    for step in &receipt.steps {
        let text = serde_json::to_string(&step.action).unwrap();
        assert_eq!(
            serde_json::from_str::<AnyAction>(&text).unwrap(),
            step.action
        );
    }
    let value: serde_json::Value = serde_json::from_str(OLD).unwrap();
    assert_eq!(serde_json::to_value(&receipt).unwrap(), value);
}
