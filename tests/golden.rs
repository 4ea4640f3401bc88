//! Golden files of version 1: they must be read for ever.

use assay::runlog::record;

#[test]
fn the_golden_record_reads_and_seals_to_itself() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/record.json");
    let text = std::fs::read_to_string(path).expect("there");
    let (record, altered) = record::read(&text).expect("reads");
    assert!(!altered);
    assert_eq!(record::seal(record).0, text);
}
