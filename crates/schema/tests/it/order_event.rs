//! The order event of `demo/schemas`: well made it gets the best grade, carelessly made every fault is named.

use schema::{
    Format, Schema, Source,
    lint::{Grade, Input, Options, Severity, lint},
};

fn load(name: &str, format: Format) -> (Schema, String) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../demo/schemas")
        .join(name);
    let text = std::fs::read_to_string(path).expect("the demo's schemas are committed");
    (
        Schema::parse(&Source::new(format, text.as_str())).expect("it parses"),
        text,
    )
}

const WELL_MADE: [(&str, Format); 3] = [
    ("order_placed_event.avsc", Format::Avro),
    ("order_placed_event.schema.json", Format::Json),
    ("order_placed_event.proto", Format::Protobuf),
];

#[test]
fn the_well_made_order_event_gets_the_best_grade_in_every_format() {
    for (name, format) in WELL_MADE {
        let (schema, text) = load(name, format);
        let report = lint(&Input::new(&schema, &text), &Options::default());
        assert_eq!(report.findings, [], "{name}");
        assert_eq!((report.grade, report.passes), (Grade::A, true), "{name}");
        let fields: Vec<String> = schema.outline().types[0]
            .fields
            .iter()
            .map(|field| field.name.clone())
            .collect();
        for wanted in ["time", "customer_id", "product_id", "quantity", "payment_type"] {
            assert!(
                fields.iter().any(|field| field == wanted),
                "{name} has no {wanted}"
            );
        }
    }
}

#[test]
fn the_careless_order_event_is_told_each_fault_and_the_way_out() {
    let (schema, text) = load("order_careless.avsc", Format::Avro);
    let report = lint(&Input::new(&schema, &text), &Options::default());
    assert_eq!((report.grade, report.passes), (Grade::E, false));
    let found: Vec<(&str, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.rule, finding.path.as_str()))
        .collect();
    let wanted = [
        ("EF001", "/"),
        ("EF002", "/time"),
        ("EF002", "/customer_id"),
        ("EF002", "/product_id"),
        ("EF002", "/quantity"),
        ("EF002", "/payment_type"),
        ("EF004", "/quantity"),
        ("EF004", "/time"),
        ("EF010", "/"),
        ("EF012", "/"),
        ("EF030", "/payment_type"),
        ("EF040", "/time"),
    ];
    for fault in wanted {
        assert!(found.contains(&fault), "{fault:?} is not told: {found:?}");
    }
    assert_eq!(
        found.iter().filter(|fault| !wanted.contains(fault)).count(),
        0,
        "{found:?}"
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| !finding.mend.is_empty() && !finding.why.is_empty())
    );
    assert!(report.findings.is_sorted_by(|a, b| a.severity >= b.severity));
    assert_eq!(report.findings[0].severity, Severity::Error);
}
