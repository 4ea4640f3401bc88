//! Prints how bright squares of chess are in their middle, by what stands on them and the colour of the square: as they are,
//! inverted, and inverted about each square's own mean, as docs/chess-knowledge.md; it judges nothing.
//!
//! `cargo run --example chess_greys`

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

use assay::data;
use assay::recipe::DataSpec;

const BOARDS: usize = 36;
const SIDE: usize = 32;
/// The middle: pixels of a quarter to three quarters of the side.
const MIDDLE: std::ops::Range<usize> = SIDE / 4..SIDE * 3 / 4;

fn main() {
    let set = data::from_spec(&DataSpec::named("chess")).unwrap();
    // Sums as they are, inverted and about the own mean, and the count; by content (empty, white, black) and colour of the
    // square (light, dark).
    let mut sums = [[[0.0; 4]; 2]; 3];
    for row in 0..BOARDS * 64 {
        let content = match set.labels[row] {
            0 => 0,
            1..=6 => 1,
            _ => 2,
        };
        let place = row % 64;
        let square = &mut sums[content][(place / 8 + place % 8) % 2];
        let pixels = set.bytes(row as u32);
        let all: f64 = pixels.iter().map(|pixel| f64::from(*pixel)).sum();
        let mean = all / pixels.len() as f64;
        for line in MIDDLE {
            for pixel in &pixels[line * SIDE..][MIDDLE] {
                let value = f64::from(*pixel);
                for (sum, value) in
                    square
                        .iter_mut()
                        .zip([value, 255.0 - value, 2.0 * mean - value, 1.0])
                {
                    *sum += value;
                }
            }
        }
    }
    println!("| | on a light square | on a dark square |\n|---|---:|---:|");
    for (way, words) in ["", ", inverted", ", inverted about its mean"]
        .into_iter()
        .enumerate()
    {
        for (name, squares) in ["empty", "white piece", "black piece"]
            .into_iter()
            .zip(sums)
        {
            let [light, dark] = squares.map(|sums| sums[way] / sums[3]);
            println!("| {name}{words} | {light:.0} | {dark:.0} |");
        }
    }
}
