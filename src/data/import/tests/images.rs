//! PNG and JPEG images, in folders and archives, good and bad.

use super::*;
use crate::data::import::images::Picture;

#[test]
fn images_come_out_as_pillow_reads_them() {
    let reference = reference();
    for (kind, tolerance) in [("png", 0), ("jpeg", 4)] {
        let cases = reference[kind].as_array().expect("a list");
        assert!(cases.len() >= 4);
        for case in cases {
            let bytes = bytes_of(&case["file"]);
            let file = File {
                name: "image",
                bytes: &bytes,
            };
            let picture = if kind == "png" {
                png::read(&file)
            } else {
                jpeg::read(&file)
            };
            let picture = picture.unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
            let sizes = (picture.width, picture.height, picture.channels);
            let number = |key: &str| case[key].as_u64().expect("a number") as usize;
            // A palette is colour whatever its colours are.
            assert_eq!(sizes.0 * sizes.1, number("width") * number("height"));
            assert_eq!(sizes.2, number("channels"), "{}", case["name"]);
            let wanted = numbers(&case["pixels"]);
            assert_eq!(picture.pixels.len(), wanted.len());
            let largest = (picture.pixels.iter().zip(&wanted))
                .map(|(a, b)| a.abs_diff(*b))
                .max();
            assert!(
                largest.expect("pixels") <= tolerance,
                "{kind} {}: {largest:?}",
                case["name"]
            );
        }
    }
}

/// A PNG of grey bytes, rows under filter 0, perhaps interlaced.
fn grey_png(width: u32, height: u32, pixels: &[u8], interlaced: bool) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], &body, &checksum::crc32(&body).to_be_bytes()].concat()
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, 0, 0, 0, u8::from(interlaced)]);
    let passes: &[[usize; 4]] = if interlaced {
        &[
            [0, 0, 8, 8],
            [4, 0, 8, 8],
            [0, 4, 4, 8],
            [2, 0, 4, 4],
            [0, 2, 2, 4],
            [1, 0, 2, 2],
            [0, 1, 1, 2],
        ]
    } else {
        &[[0, 0, 1, 1]]
    };
    let mut lines = Vec::new();
    for [column, row, columns, rows] in passes {
        for y in (*row..height as usize).step_by(*rows) {
            let line: Vec<u8> = (*column..width as usize)
                .step_by(*columns)
                .map(|x| pixels[y * width as usize + x])
                .collect();
            if !line.is_empty() {
                lines.push(0);
                lines.extend(line);
            }
        }
    }
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &compress_to_vec_zlib(&lines, 6)),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn an_interlaced_image_is_the_same_image() {
    for (width, height) in [(1, 1), (3, 2), (13, 9), (8, 8)] {
        let pixels: Vec<u8> = (0..width * height).map(|it| (it * 7) as u8).collect();
        for interlaced in [false, true] {
            let bytes = grey_png(width, height, &pixels, interlaced);
            let read = png::read(&File {
                name: "p",
                bytes: &bytes,
            })
            .expect("fits");
            assert_eq!(read.pixels, pixels, "{width}×{height} {interlaced}");
        }
    }
}

#[test]
fn a_changed_byte_of_an_image_is_found() {
    let bytes = grey_png(5, 4, &[9; 20], false);
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        let read = png::read(&File {
            name: "p",
            bytes: &broken,
        });
        assert!(read.is_err(), "byte {at}");
        assert!(
            png::read(&File {
                name: "p",
                bytes: &bytes[..at]
            })
            .is_err()
        );
    }
}

#[test]
fn absurd_sizes_are_refused_before_they_are_allocated() {
    for (width, height) in [(u32::MAX, u32::MAX), (0, 4), (100_000, 1), (8192, 8192)] {
        let mut bytes = grey_png(1, 1, &[0], false);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = checksum::crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        let message = refusal(&[("a/huge.png", &bytes)]);
        assert!(message.contains(&width.to_string()), "{message}");
    }
    // It says 4000×4000 and holds next to nothing.
    let mut bomb = grey_png(1, 1, &[0], false);
    bomb[16..20].copy_from_slice(&4000_u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&4000_u32.to_be_bytes());
    let sum = checksum::crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&sum.to_be_bytes());
    assert!(refusal(&[("a/bomb.png", &bomb)]).contains("bytes of pixels"));
}

#[test]
fn an_archive_of_folders_gives_its_classes() {
    let file = bytes_of(&reference()["zip"]);
    let made = opened(&[("pets.zip", &file)], &Options::default()).expect("fits");
    assert_eq!(made.dataset.classes, ["cats", "dogs"]);
    assert_eq!(made.dataset.shape(), [1, 8, 8]);
    let firsts: Vec<u8> = (0..6).map(|row| made.dataset.bytes(row)[0]).collect();
    // By folder, then by name.
    assert_eq!(firsts, [0, 80, 160, 40, 120, 200]);
    assert_eq!(made.dataset.labels, [0, 0, 0, 1, 1, 1]);
    assert!(
        made.dataset
            .notes
            .iter()
            .any(|note| note.contains("pets/readme.txt")),
        "{:?}",
        made.dataset.notes
    );
    // The same as single files, stored, and deflated by us.
    let images: Vec<(String, Vec<u8>)> = (0..6_u8)
        .map(|index| {
            let folder = ["cats", "dogs"][usize::from(index % 2)];
            (
                format!("{folder}/{index}.png"),
                grey_png(8, 8, &[40 * index; 64], false),
            )
        })
        .collect();
    let named: Vec<(&str, &[u8])> = images
        .iter()
        .map(|(name, bytes)| (&name[..], &bytes[..]))
        .collect();
    let digest = made.dataset.digest();
    assert_eq!(
        opened(&named, &Options::default())
            .expect("fits")
            .dataset
            .digest(),
        digest
    );
    for deflated in [false, true] {
        let file = zip_of(&named, deflated);
        let made = opened(&[("z", &file)], &Options::default()).expect("fits");
        assert_eq!(made.dataset.digest(), digest);
    }
}

#[test]
fn images_of_mixed_size_are_brought_to_one_by_averaging() {
    let files = [
        ("a/1.png", grey_png(64, 32, &[100; 64 * 32], false)),
        ("b/2.png", grey_png(3, 5, &[200; 15], false)),
    ];
    let named: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (*name, &bytes[..]))
        .collect();
    let made = opened(&named, &Options::default()).expect("fits");
    assert_eq!(made.dataset.shape(), [1, 32, 32]);
    assert!(made.dataset.bytes(0).iter().all(|value| *value == 100));
    assert!(made.dataset.bytes(1).iter().all(|value| *value == 200));
    assert!(
        made.dataset.notes[0].contains("3×5 to 64×32"),
        "{:?}",
        made.dataset.notes
    );
    // Two by two pixels become one: (0 + 10 + 20 + 31) / 4 = 15.25; and 4 columns to 3: weights 3 and 1 of 4.
    let picture = Picture {
        width: 2,
        height: 2,
        channels: 1,
        pixels: vec![0, 10, 20, 31],
    };
    let squared = |picture: &Picture, side| {
        let mut out = Vec::new();
        picture.squared(side, 1, &mut out);
        out
    };
    assert_eq!(squared(&picture, 1), [15]);
    assert_eq!(squared(&picture, 2), [0, 10, 20, 31]);
    let row = Picture {
        width: 4,
        height: 1,
        channels: 1,
        pixels: vec![0, 40, 80, 120],
    };
    assert_eq!(squared(&row, 3)[..3], [10, 60, 110]);
    let small = Options {
        side: Some(3),
        ..Options::default()
    };
    assert!(opened(&named, &small).is_err());
}

#[test]
fn archives_that_lie_are_refused_and_named() {
    let image = grey_png(8, 8, &[1; 64], false);
    let good = zip_of(&[("a/1.png", &image), ("b/2.png", &image)], true);
    assert!(opened(&[("g.zip", &good)], &Options::default()).is_ok());
    for name in [
        "../a/1.png",
        "/a/1.png",
        "a/../../1.png",
        "C:/a/1.png",
        "a\\1.png",
        "",
    ] {
        let message = refusal(&[(
            "bad.zip",
            &zip_of(&[(name, &image), ("b/2.png", &image)], true),
        )]);
        assert!(message.contains("below the archive"), "{name}: {message}");
    }
    let directory = good
        .windows(4)
        .position(|it| it == b"PK\x01\x02")
        .expect("there");
    let with = |at: usize, bytes: &[u8]| {
        let mut broken = good.clone();
        broken[directory + at..directory + at + bytes.len()].copy_from_slice(bytes);
        refusal(&[("bad.zip", &broken)])
    };
    // More than deflating can give, an unknown method, a password, another checksum, another place.
    assert!(with(24, &u32::MAX.to_le_bytes()).contains("a header that says"));
    assert!(with(10, &[99, 0]).contains("method 99"));
    assert!(with(8, &[1, 0]).contains("password"));
    assert!(with(16, &[0; 4]).contains("a byte has changed"));
    assert!(with(42, &[3, 0, 0, 0]).contains("no entry there"));
    let second = good[directory + 1..]
        .windows(4)
        .position(|it| it == b"PK\x01\x02")
        .expect("there")
        + 1;
    assert!(with(second + 42, &[0; 4]).contains("share bytes"));
    for length in 0..good.len() {
        assert!(opened(&[("bad.zip", &good[..length])], &Options::default()).is_err());
    }
    // A bomb: what deflates a thousandfold is bounded by what the whole may have.
    let zeros = vec![0; 1 << 20];
    let bomb: Vec<(String, &[u8])> = (0..300)
        .map(|index| (format!("a/{index}.png"), &zeros[..]))
        .collect();
    let named: Vec<(&str, &[u8])> = bomb
        .iter()
        .map(|(name, bytes)| (&name[..], *bytes))
        .collect();
    let message = refusal(&[("bomb.zip", &zip_of(&named, true))]);
    assert!(message.contains("limit"), "{message}");
}

#[test]
fn an_image_without_a_folder_is_refused_by_name() {
    let image = grey_png(8, 8, &[1; 64], false);
    let message = refusal(&[("lonely.png", &image)]);
    assert!(message.contains("folder"), "{message}");
}
