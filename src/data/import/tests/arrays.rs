//! IDX, NPY and NPZ files, plain and compressed, good and bad.

use super::*;

#[test]
fn idx_files_are_read_plain_and_compressed() {
    let images = idx(
        8,
        &[4, 2, 2],
        &(0..16).map(|it| it * 17).collect::<Vec<u8>>(),
    );
    let labels = idx(8, &[4], &[7, 3, 7, 3]);
    for (images, labels) in [
        (images.clone(), labels.clone()),
        (gzip(&images), gzip(&labels)),
    ] {
        // In any order.
        for files in [
            [("i", &images), ("l", &labels)],
            [("l", &labels), ("i", &images)],
        ] {
            let files = files.map(|(name, bytes)| (name, &bytes[..]));
            let made = opened(&files, &Options::default()).expect("fits");
            assert_eq!(made.dataset.shape(), [1, 2, 2]);
            assert_eq!(made.dataset.classes, ["3", "7"]);
            assert_eq!(made.dataset.labels, [1, 0, 1, 0]);
            assert_eq!(made.dataset.bytes(1), [68, 85, 102, 119]);
            assert_eq!(made.files[0].1, sha256_hex(files[0].1));
        }
    }
    let reals = idx(
        0x0d,
        &[2, 1],
        &[1.5_f32.to_be_bytes(), 2.5_f32.to_be_bytes()].concat(),
    );
    let made = opened(
        &[("i", &reals), ("l", &idx(8, &[2], &[0, 1]))],
        &Options::default(),
    );
    assert_eq!(self::reals(&made.expect("fits").dataset), [1.5, 2.5]);
}

#[test]
fn lying_and_cut_idx_files_are_refused() {
    let labels = idx(8, &[2], &[0, 1]);
    let images = idx(8, &[2, 2], &[1, 2, 3, 4]);
    let with = |bytes: Vec<u8>| refusal(&[("images.idx", &bytes), ("l", &labels)]);
    assert!(with(idx(8, &[u32::MAX, u32::MAX], &[1])).contains("limit"));
    assert!(with(idx(8, &[3, 2], &[1, 2, 3, 4])).contains("6 bytes"));
    assert!(with(images[..images.len() - 1].to_vec()).contains('3'));
    assert!(with(images[..9].to_vec()).contains("ends within"));
    assert!(with(idx(0x0a, &[2, 2], &[0; 4])).contains("10"));
    let message = opened(
        &[("i", &images), ("l", &idx(8, &[3], &[0, 1, 0]))],
        &Options::default(),
    );
    assert!(
        message
            .expect_err("refused")
            .to_string()
            .contains("2 labels")
    );
    assert!(opened(&[("i", &images)], &Options::default()).is_err());
}

#[test]
fn a_changed_byte_in_a_compressed_file_is_named() {
    let labels = gzip(&idx(8, &[4], &[7, 3, 7, 3]));
    let images = gzip(&idx(8, &[4, 2, 2], &(0..16).collect::<Vec<u8>>()));
    let mut found = 0;
    // The name in the header is not checked by anything.
    for at in (0..3).chain(15..images.len()) {
        let mut broken = images.clone();
        broken[at] ^= 1;
        let files = [("images.gz", &broken[..]), ("l", &labels[..])];
        found += u32::from(
            opened(&files, &Options::default())
                .is_err_and(|error| at < 3 || error.to_string().contains("images.gz")),
        );
    }
    assert_eq!(found as usize, 3 + images.len() - 15);
    for length in 0..images.len() {
        assert!(
            opened(
                &[("images.gz", &images[..length]), ("l", &labels)],
                &Options::default()
            )
            .is_err()
        );
    }
}

#[test]
fn numpys_arrays_are_read() {
    let reference = reference();
    let numpy = &reference["numpy"];
    let (values, labels) = (numbers(&numpy["values"]), numbers(&numpy["labels"]));
    let label_file = bytes_of(&numpy["label_file"]);
    let check = |name: &str, made: &Dataset| {
        assert_eq!(made.shape(), [1, 4, 4], "{name}");
        let got: Vec<f32> = (0..values.len())
            .map(|place| made.values.at(place))
            .collect();
        let wanted: Vec<f32> = values.iter().map(|value| f32::from(*value)).collect();
        assert_eq!(got, wanted, "{name}");
        let wanted: Vec<u16> = labels.iter().map(|label| u16::from(*label)).collect();
        assert_eq!(made.labels, wanted, "{name}");
    };
    for array in numpy["arrays"].as_array().expect("a list") {
        let file = bytes_of(&array["file"]);
        let made = opened(
            &[("x.npy", &file), ("y.npy", &label_file)],
            &Options::default(),
        );
        check(
            array["name"].as_str().expect("a text"),
            &made.expect("fits").dataset,
        );
    }
    for name in ["npz", "packed"] {
        let file = bytes_of(&numpy[name]);
        let made = opened(&[("a.npz", &file)], &Options::default()).expect("fits");
        check(name, &made.dataset);
        assert_eq!(made.dataset.notes.len(), usize::from(name == "packed"));
    }
}

#[test]
fn lying_npy_headers_are_refused() {
    let npy = |header: &str, numbers: &[u8]| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(numbers);
        bytes
    };
    let labels = npy(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }",
        &[0, 1],
    );
    for (header, numbers, named) in [
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 99999999999), }",
            16,
            "limit",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 18446744073709551615), }",
            16,
            "limit",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
            16,
            "32 bytes",
        ),
        (
            "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 1), }",
            16,
            "ascontiguousarray",
        ),
        (
            "{'descr': '|O', 'fortran_order': False, 'shape': (2, 1), }",
            16,
            "texts",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (), }",
            16,
            "shape",
        ),
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -1), }",
            16,
            "shape",
        ),
        ("", 0, "type"),
    ] {
        let file = npy(header, &vec![0; numbers]);
        let message = refusal(&[("x.npy", &file), ("y", &labels)]);
        assert!(message.contains(named), "{header}: {message}");
    }
    assert!(
        refusal(&[("x.npy", b"\x93NUMPY\x01\x00\xff\xff{"), ("y", &labels)]).contains("header")
    );
}
