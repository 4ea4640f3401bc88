//! Three sets of chess pieces as outlines that are turned around their axis; it neither places nor lights them.
//!
//! A piece is a list of slices from the foot up. Lengths are in sides of a square.

use super::Kind;

/// Slices that a piece is drawn with.
pub(super) const SLICES: usize = 28;

/// One horizontal slice of a piece: an ellipse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Slice {
    /// Height above the board.
    pub(super) z: f32,
    /// Where its middle is along the direction in which the piece looks.
    pub(super) ahead: f32,
    /// Half of its width across the direction in which the piece looks.
    pub(super) half_across: f32,
    /// Half of its length along that direction.
    pub(super) half_along: f32,
    /// How bright its surface is, 1 is the piece's own tone.
    pub(super) tone: f32,
    /// Its outline widens (below 0) or narrows (above 0) upwards: how much of the surface looks up, in -1..=1.
    pub(super) upward: f32,
}

/// A piece's outline: corners from the foot up, in hundredths of a square.
struct Outline {
    /// `(height, half width)`; what lies between two corners is straight.
    corners: &'static [(f32, f32)],
    /// For a knight, `(height, back, front)`: how far the head reaches behind and before the axis.
    head: &'static [(f32, f32, f32)],
    /// Half of the head's thickness, or of a crossbar.
    thickness: f32,
    /// Heights between which the surface is dark: a slit, a collar, the notches of a crown.
    dark: &'static [(f32, f32)],
    /// `(from, to, half width)` of a bar across, such as a cross has.
    bar: Option<(f32, f32, f32)>,
}

const PLAIN: Outline = Outline {
    corners: &[],
    head: &[],
    thickness: 0.0,
    dark: &[],
    bar: None,
};

/// Rounded, as tournament pieces are: broad feet, collars, a ball, a mitre, a cross.
#[rustfmt::skip]
const TURNED: [Outline; 6] = [
    Outline {
        corners: &[(0.0, 29.0), (8.0, 29.0), (14.0, 21.0), (34.0, 11.0), (44.0, 10.0), (46.0, 17.0), (50.0, 16.0), (54.0, 15.0), (60.0, 18.0), (68.0, 18.0), (75.0, 13.0), (79.0, 4.0)],
        dark: &[(44.0, 47.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 32.0), (9.0, 32.0), (16.0, 25.0), (26.0, 20.0)],
        head: &[(26.0, 18.0, 20.0), (45.0, 20.0, 16.0), (62.0, 19.0, 20.0), (74.0, 16.0, 35.0), (84.0, 13.0, 36.0), (92.0, 11.0, 22.0), (100.0, 8.0, 6.0), (104.0, 4.0, 0.0)],
        thickness: 12.0,
        dark: &[(26.0, 29.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 31.0), (9.0, 31.0), (16.0, 23.0), (45.0, 11.0), (62.0, 10.0), (65.0, 19.0), (70.0, 12.0), (78.0, 17.0), (90.0, 17.0), (102.0, 10.0), (108.0, 4.0), (110.0, 6.0), (115.0, 3.0)],
        dark: &[(63.0, 66.0), (88.0, 92.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 32.0), (10.0, 32.0), (18.0, 25.0), (28.0, 19.0), (60.0, 17.0), (66.0, 24.0), (90.0, 25.0)],
        dark: &[(64.0, 67.0), (80.0, 84.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 34.0), (10.0, 34.0), (18.0, 26.0), (50.0, 13.0), (82.0, 11.0), (86.0, 21.0), (91.0, 14.0), (112.0, 23.0), (116.0, 21.0), (122.0, 9.0), (128.0, 6.0), (131.0, 2.0)],
        dark: &[(85.0, 88.0), (109.0, 113.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 35.0), (10.0, 35.0), (18.0, 27.0), (54.0, 14.0), (88.0, 12.0), (92.0, 22.0), (97.0, 15.0), (118.0, 21.0), (124.0, 10.0), (127.0, 4.0), (146.0, 4.0)],
        thickness: 4.0,
        dark: &[(91.0, 94.0)],
        bar: Some((132.0, 138.0, 12.0)),
        ..PLAIN
    },
];

/// Straight, as plastic club pieces are: cones and drums, few corners.
#[rustfmt::skip]
const STRAIGHT: [Outline; 6] = [
    Outline {
        corners: &[(0.0, 26.0), (12.0, 26.0), (12.5, 20.0), (46.0, 12.0), (46.5, 20.0), (66.0, 20.0), (72.0, 14.0)],
        dark: &[(12.0, 15.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 28.0), (12.0, 28.0), (12.5, 22.0), (30.0, 18.0)],
        head: &[(30.0, 17.0, 17.0), (56.0, 22.0, 14.0), (70.0, 20.0, 34.0), (86.0, 15.0, 34.0), (90.0, 12.0, 8.0), (98.0, 10.0, 2.0)],
        thickness: 15.0,
        dark: &[(12.0, 15.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 28.0), (12.0, 28.0), (12.5, 21.0), (70.0, 10.0), (70.5, 18.0), (80.0, 18.0), (104.0, 3.0)],
        dark: &[(12.0, 15.0), (84.0, 88.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 28.0), (12.0, 28.0), (12.5, 22.0), (62.0, 20.0), (62.5, 27.0), (84.0, 27.0)],
        dark: &[(12.0, 15.0), (70.0, 73.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 30.0), (12.0, 30.0), (12.5, 23.0), (92.0, 11.0), (92.5, 18.0), (112.0, 26.0), (112.5, 10.0), (120.0, 10.0)],
        dark: &[(12.0, 15.0), (104.0, 108.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 30.0), (12.0, 30.0), (12.5, 24.0), (98.0, 13.0), (98.5, 22.0), (116.0, 22.0), (116.5, 5.0), (140.0, 5.0)],
        thickness: 5.0,
        dark: &[(12.0, 15.0)],
        bar: Some((124.0, 131.0, 14.0)),
        ..PLAIN
    },
];

/// Slender, as old wooden pieces are: narrow waists, many rings, heads of their own. Training never sees them.
#[rustfmt::skip]
const SLENDER: [Outline; 6] = [
    Outline {
        corners: &[(0.0, 25.0), (6.0, 27.0), (12.0, 16.0), (18.0, 19.0), (22.0, 9.0), (48.0, 7.0), (52.0, 15.0), (55.0, 8.0), (61.0, 14.0), (70.0, 15.0), (78.0, 9.0), (82.0, 3.0)],
        dark: &[(17.0, 20.0), (51.0, 54.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 28.0), (7.0, 30.0), (14.0, 17.0), (20.0, 21.0), (30.0, 14.0)],
        head: &[(30.0, 13.0, 13.0), (52.0, 17.0, 9.0), (70.0, 18.0, 15.0), (80.0, 15.0, 30.0), (88.0, 12.0, 33.0), (96.0, 11.0, 20.0), (106.0, 9.0, 2.0), (110.0, 5.0, -1.0)],
        thickness: 9.0,
        dark: &[(19.0, 22.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 28.0), (7.0, 29.0), (14.0, 17.0), (20.0, 20.0), (25.0, 10.0), (66.0, 7.0), (70.0, 17.0), (73.0, 8.0), (78.0, 14.0), (80.0, 8.0), (88.0, 15.0), (98.0, 14.0), (110.0, 5.0), (112.0, 8.0), (118.0, 4.0)],
        dark: &[(69.0, 72.0), (94.0, 98.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 30.0), (7.0, 31.0), (14.0, 20.0), (20.0, 24.0), (26.0, 15.0), (58.0, 12.0), (64.0, 21.0), (68.0, 17.0), (92.0, 22.0)],
        dark: &[(19.0, 22.0), (84.0, 88.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 31.0), (7.0, 33.0), (14.0, 20.0), (20.0, 24.0), (26.0, 12.0), (86.0, 8.0), (90.0, 20.0), (94.0, 10.0), (98.0, 16.0), (101.0, 9.0), (118.0, 21.0), (121.0, 14.0), (128.0, 9.0), (134.0, 4.0)],
        dark: &[(89.0, 92.0), (115.0, 119.0)],
        ..PLAIN
    },
    Outline {
        corners: &[(0.0, 32.0), (7.0, 34.0), (14.0, 21.0), (20.0, 25.0), (26.0, 13.0), (92.0, 9.0), (96.0, 21.0), (100.0, 11.0), (104.0, 17.0), (107.0, 10.0), (122.0, 18.0), (128.0, 12.0), (133.0, 3.5), (152.0, 3.5)],
        thickness: 3.5,
        dark: &[(95.0, 98.0)],
        bar: Some((138.0, 143.0, 10.0)),
        ..PLAIN
    },
];

/// The sets; the last one is held out of training.
const SETS: [&[Outline; 6]; 3] = [&TURNED, &STRAIGHT, &SLENDER];

/// How many sets there are.
pub(super) const SET_COUNT: u32 = SETS.len() as u32;

/// The slices of one piece of one set, from the foot up; `set` is below [`SET_COUNT`].
pub(super) fn slices(set: u32, kind: Kind) -> [Slice; SLICES] {
    let outline = &SETS[set as usize % SETS.len()][kind as usize];
    let top = height(outline);
    let mut made = [Slice {
        z: 0.0,
        ahead: 0.0,
        half_across: 0.0,
        half_along: 0.0,
        tone: 1.0,
        upward: 0.0,
    }; SLICES];
    for (index, slice) in made.iter_mut().enumerate() {
        *slice = at(outline, top * index as f32 / (SLICES - 1) as f32);
    }
    for index in 0..SLICES - 1 {
        let rise = made[index + 1].z - made[index].z;
        let narrowing = made[index].half_across - made[index + 1].half_across;
        made[index].upward = (narrowing / rise).clamp(-1.0, 1.0);
    }
    made[SLICES - 1].upward = 1.0;
    made
}

/// The highest point, in hundredths of a square.
fn height(outline: &Outline) -> f32 {
    let body = outline.corners.last().map_or(0.0, |corner| corner.0);
    outline.head.last().map_or(body, |corner| corner.0)
}

/// The slice at a height in hundredths of a square.
fn at(outline: &Outline, z: f32) -> Slice {
    let in_dark = |(from, to): &(f32, f32)| (*from..=*to).contains(&z);
    let dark = outline.dark.iter().any(in_dark);
    let in_head = outline.head.first().is_some_and(|corner| z > corner.0);
    let (across, back, front) = if in_head {
        let back = between(outline.head.iter().map(|corner| (corner.0, corner.1)), z);
        let front = between(outline.head.iter().map(|corner| (corner.0, corner.2)), z);
        (outline.thickness, back, front)
    } else {
        let half = between(outline.corners.iter().copied(), z);
        (half, half, half)
    };
    let (across, along) = match outline.bar {
        Some((from, to, half)) if (from..=to).contains(&z) => (half, outline.thickness),
        _ => (across, (back + front) / 2.0),
    };
    Slice {
        z: z / 100.0,
        ahead: (front - back) / 200.0,
        half_across: across / 100.0,
        half_along: along / 100.0,
        tone: if dark { 0.6 } else { 1.0 },
        upward: 0.0,
    }
}

/// The value at `z` of straight lines between corners.
fn between(corners: impl Iterator<Item = (f32, f32)>, z: f32) -> f32 {
    let mut last: Option<(f32, f32)> = None;
    for corner in corners {
        if z <= corner.0 {
            return last.map_or(corner.1, |before| {
                let share = (z - before.0) / (corner.0 - before.0);
                before.1 + (corner.1 - before.1) * share
            });
        }
        last = Some(corner);
    }
    last.map_or(0.0, |corner| corner.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_fits_on_its_square_and_kings_are_tallest() {
        for set in 0..SET_COUNT {
            let mut heights = Vec::new();
            for kind in Kind::ALL {
                let made = slices(set, kind);
                assert!(made.windows(2).all(|pair| pair[0].z < pair[1].z));
                for slice in made {
                    let reach = slice.ahead.abs() + slice.half_along.max(slice.half_across);
                    assert!(reach > 0.0 && reach < 0.5, "{set} {kind:?} {slice:?}");
                }
                heights.push(made[SLICES - 1].z);
            }
            assert!(heights.iter().all(|height| *height <= heights[5]));
            assert!(heights.iter().all(|height| *height >= heights[0]));
        }
    }

    #[test]
    fn no_two_pieces_have_the_same_outline() {
        let all: Vec<_> = (0..SET_COUNT)
            .flat_map(|set| Kind::ALL.map(|kind| slices(set, kind)))
            .collect();
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(one, other);
            }
        }
    }
}
