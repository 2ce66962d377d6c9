//! The cases of canonical form and fingerprint that Apache Avro publishes (share/test/data/schema-tests.txt), as facts.

use schema::{
    Format, Limits, Source,
    avro::{AvroSchema, Defaults},
};

/// Input, canonical form, and where the list gives one the CRC-64-AVRO as a signed number.
const CASES: [(&str, &str, Option<i64>); 34] = [
    (r#""null""#, r#""null""#, Some(7_195_948_357_588_979_594)),
    (r#"{"type":"null"}"#, r#""null""#, None),
    (r#""boolean""#, r#""boolean""#, Some(-6_970_731_678_124_411_036)),
    (r#"{"type":"boolean"}"#, r#""boolean""#, None),
    (r#""int""#, r#""int""#, Some(8_247_732_601_305_521_295)),
    (r#"{"type":"int"}"#, r#""int""#, None),
    (r#""long""#, r#""long""#, Some(-3_434_872_931_120_570_953)),
    (r#"{"type":"long"}"#, r#""long""#, None),
    (r#""float""#, r#""float""#, Some(5_583_340_709_985_441_680)),
    (r#"{"type":"float"}"#, r#""float""#, None),
    (r#""double""#, r#""double""#, Some(-8_181_574_048_448_539_266)),
    (r#"{"type":"double"}"#, r#""double""#, None),
    (r#""bytes""#, r#""bytes""#, Some(5_746_618_253_357_095_269)),
    (r#"{"type":"bytes"}"#, r#""bytes""#, None),
    (r#""string""#, r#""string""#, Some(-8_142_146_995_180_207_161)),
    (r#"{"type":"string"}"#, r#""string""#, None),
    (r#"[  ]"#, r#"[]"#, Some(-1_241_056_759_729_112_623)),
    (r#"[ "int"  ]"#, r#"["int"]"#, Some(-5_232_228_896_498_058_493)),
    (
        r#"[ "int" , {"type":"boolean"} ]"#,
        r#"["int","boolean"]"#,
        Some(5_392_556_393_470_105_090),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"foo"}"#,
        r#"{"name":"foo","type":"record","fields":[]}"#,
        Some(-4_824_392_279_771_201_922),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"foo", "namespace":"x.y"}"#,
        r#"{"name":"x.y.foo","type":"record","fields":[]}"#,
        Some(5_916_914_534_497_305_771),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"a.b.foo", "namespace":"x.y"}"#,
        r#"{"name":"a.b.foo","type":"record","fields":[]}"#,
        Some(-4_616_218_487_480_524_110),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"foo", "doc":"Useful info"}"#,
        r#"{"name":"foo","type":"record","fields":[]}"#,
        Some(-4_824_392_279_771_201_922),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"foo", "aliases":["foo","bar"]}"#,
        r#"{"name":"foo","type":"record","fields":[]}"#,
        Some(-4_824_392_279_771_201_922),
    ),
    (
        r#"{"fields":[], "type":"record", "name":"foo", "doc":"foo", "aliases":["foo","bar"]}"#,
        r#"{"name":"foo","type":"record","fields":[]}"#,
        Some(-4_824_392_279_771_201_922),
    ),
    (
        r#"{"fields":[{"type":{"type":"boolean"}, "name":"f1"}], "type":"record", "name":"foo"}"#,
        r#"{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"}]}"#,
        Some(7_843_277_075_252_814_651),
    ),
    (
        r#"{ "fields":[{"type":"boolean", "aliases":[], "name":"f1", "default":"true"},
            {"order":"descending","name":"f2","doc":"Hello","type":"int"}],
  "type":"record", "name":"foo"
}"#,
        r#"{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"},{"name":"f2","type":"int"}]}"#,
        Some(-4_860_222_112_080_293_046),
    ),
    (
        r#"{"type":"enum", "name":"foo", "symbols":["A1"]}"#,
        r#"{"name":"foo","type":"enum","symbols":["A1"]}"#,
        Some(-6_342_190_197_741_309_591),
    ),
    (
        r#"{"namespace":"x.y.z", "type":"enum", "name":"foo", "doc":"foo bar", "symbols":["A1", "A2"]}"#,
        r#"{"name":"x.y.z.foo","type":"enum","symbols":["A1","A2"]}"#,
        Some(-4_448_647_247_586_288_245),
    ),
    (
        r#"{"name":"foo","type":"fixed","size":15}"#,
        r#"{"name":"foo","type":"fixed","size":15}"#,
        Some(1_756_455_273_707_447_556),
    ),
    (
        r#"{"namespace":"x.y.z", "type":"fixed", "name":"foo", "doc":"foo bar", "size":32}"#,
        r#"{"name":"x.y.z.foo","type":"fixed","size":32}"#,
        Some(-3_064_184_465_700_546_786),
    ),
    (
        r#"{ "items":{"type":"null"}, "type":"array"}"#,
        r#"{"type":"array","items":"null"}"#,
        Some(-589_620_603_366_471_059),
    ),
    (
        r#"{ "values":"string", "type":"map"}"#,
        r#"{"type":"map","values":"string"}"#,
        Some(-8_732_877_298_790_414_990),
    ),
    (
        r#"{"name":"PigValue","type":"record",
   "fields":[{"name":"value", "type":["null", "int", "long", "PigValue"]}]}"#,
        r#"{"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}"#,
        Some(-1_759_257_747_318_642_341),
    ),
];

#[test]
fn canonical_forms_and_fingerprints_are_those_that_are_published() {
    for (number, (input, canonical, fingerprint)) in CASES.iter().enumerate() {
        // Case 26 gives a boolean the default "true", which 1.12 refuses in a new schema.
        let source = Source::new(Format::Avro, *input);
        let schema = AvroSchema::parse_with(&source, &Limits::default(), Defaults::Unchecked).unwrap();
        assert_eq!(schema.canonical_form(), *canonical, "case {number}");
        if let Some(fingerprint) = fingerprint {
            assert_eq!(schema.fingerprint_rabin() as i64, *fingerprint, "case {number}");
        }
        // A canonical form is a schema whose canonical form it is.
        assert_eq!(
            AvroSchema::parse(canonical).unwrap().canonical_form(),
            *canonical,
            "case {number}"
        );
    }
    assert!(
        AvroSchema::parse(CASES[26].0)
            .unwrap_err()
            .what
            .contains("not a value of boolean")
    );
}
