//! docs/reference/cli.md is the table's.

use std::path::Path;

#[test]
fn the_reference_page_is_written_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = cli::reference(vec![crate::commands::COMMANDS, cli::COMMANDS]);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&path).expect("the page is committed");
    assert!(
        committed == page,
        "docs/reference/cli.md is behind the table: run cargo xtask docs"
    );
}
