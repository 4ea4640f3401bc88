//! Tables as text, good and bad.

use super::*;

#[test]
fn a_table_is_read_with_its_heading_delimiter_and_label() {
    for (text, classes) in [
        ("a,b,label\n1,2,x\n3,4,y\n", ["x", "y"]),
        ("a;b;class\r\n1;2;x\r\n3;4;y\r\n", ["x", "y"]),
        ("\u{feff}a\tb\tspecies\n1\t2\tx\n3\t4\ty", ["x", "y"]),
        ("1|2|x\n3|4|y\n\n", ["x", "y"]),
        ("1,2,10\n3,4,9\n", ["9", "10"]),
    ] {
        let made = table(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(made.dataset.classes, classes);
        assert_eq!(reals(&made.dataset), [1.0, 2.0, 3.0, 4.0], "{text:?}");
        assert_eq!(made.dataset.shape(), [1, 1, 2]);
    }
    let named = table("Label,b\nx,2\ny,4\n").expect("fits");
    assert_eq!(named.dataset.classes, ["x", "y"]);
    let quoted = table("a,label\n1,\"x, \"\"y\"\"\"\n2,\"z\nz\"\n").expect("fits");
    assert_eq!(quoted.dataset.classes, ["x, \"y\"", "z\nz"]);
    let comma = table("a;b;label\n1,5;2;x\n3;4,25;y\n").expect("fits");
    assert_eq!(reals(&comma.dataset), [1.5, 2.0, 3.0, 4.25]);
    let chosen = Options {
        label_column: Some("kind".into()),
        ..Options::default()
    };
    let text = b"kind,a,label\nx,1,2\ny,3,4\n";
    let made = opened(&[("t", text)], &chosen).expect("fits");
    assert_eq!(made.dataset.classes, ["x", "y"]);
    let beyond = Options {
        label_column: Some("9".into()),
        ..Options::default()
    };
    assert!(opened(&[("t", text)], &beyond).is_err());
}

#[test]
fn what_is_missing_or_no_number_is_counted_and_its_row_named() {
    let made = table("a,b,name,label\n1,NA,anna,x\n2,,bert,y\noops,3,carl,x\n").expect("fits");
    let values = reals(&made.dataset);
    assert_eq!(values.len(), 6);
    assert!(values[1].is_nan() && values[3].is_nan() && values[4].is_nan());
    assert_eq!((values[0], values[5]), (1.0, 3.0));
    let notes = made.dataset.notes.join("\n");
    assert!(notes.contains("\"oops\" in row 4"), "{notes}");
    assert!(notes.contains("no number: \"name\""), "{notes}");
}

#[test]
fn latin_1_is_read_and_said() {
    let made = opened(
        &[("t.csv", b"a,label\n1,caf\xe9\n2,th\xe9\n")],
        &Options::default(),
    );
    let made = made.expect("fits");
    assert_eq!(made.dataset.classes, ["café", "thé"]);
    assert!(made.dataset.notes[0].contains("Latin-1") && made.dataset.notes[0].contains("Line 2"));
}

#[test]
fn flattened_images_are_seen_as_such() {
    let row = |label: u32| {
        let cells: Vec<String> = (0..64).map(|cell| (cell % 17).to_string()).collect();
        format!("{label},{}\n", cells.join(","))
    };
    let made = table(&[row(3), row(5)].concat()).expect("fits");
    assert_eq!(made.dataset.shape(), [1, 8, 8]);
    assert_eq!(made.dataset.classes, ["3", "5"]);
    assert_eq!(whole(&made.dataset)[..3], [0, 1, 2]);
    assert!(matches!(made.dataset.values, Values::Bytes { max: 16, .. }));
    let chosen = Options {
        image: Some([1, 4, 16]),
        ..Options::default()
    };
    let text = [row(3), row(5)].concat();
    let made = opened(&[("t", text.as_bytes())], &chosen).expect("fits");
    assert_eq!(made.dataset.shape(), [1, 4, 16]);
    let wrong = Options {
        image: Some([3, 4, 16]),
        ..Options::default()
    };
    assert!(opened(&[("t", text.as_bytes())], &wrong).is_err());
}

#[test]
fn bad_tables_are_refused_with_file_and_row() {
    let many: String = (0..1500).map(|row| format!("{row},{row}\n")).collect();
    for (text, named) in [
        ("a,b,label\n1,2,x\n3,4\n5,6,y\n", "row 3"),
        ("a,b,label\n1,2,x\n3,\"4,y\n5,6,y\n", "quotation mark"),
        ("a,b,label\n1,2,x\n3,4,\n", "label in row 3"),
        ("a\n1\n2\n", "two columns"),
        ("", "no row"),
        ("\n\n", "no row"),
    ] {
        let message = refusal(&[("table.csv", text.as_bytes())]);
        assert!(message.contains(named), "{text:?}: {message}");
    }
    for (text, named) in [
        ("a,label\n1,x\n2,x\n", "at least two"),
        ("a,label\n", "at least one"),
        (&many[..], "at most 1000"),
    ] {
        let message = table(text).expect_err("refused").to_string();
        assert!(message.contains(named), "{text:.20?}: {message}");
    }
    assert!(refusal(&[("t.csv", b"\xff\xfea\0,\0")]).contains("UTF-16"));
    assert!(refusal(&[("t.pdf", b"%PDF\0\0")]).contains("another kind"));
    assert!(opened(&[], &Options::default()).is_err());
}
