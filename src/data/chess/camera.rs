//! A camera above the board: from a point over the board to a point of the picture and back; it sees no light.
//!
//! A pinhole camera looks at the middle of the board. With the board's middle as origin, x to the right, y towards the
//! viewer and z up, turned by `turn` around z and seen under `tilt` from straight above at the distance `D`:
//! depth `d = D − y·sin(tilt) − z·cos(tilt)`, right `F·x/d`, down `F·(y·cos(tilt) − z·sin(tilt))/d`.
//! Only + − × ÷ in f32, so that a point has the same bits everywhere; sines and cosines are `libm`'s.

/// Where a camera stands. Lengths are in sides of a square, angles were radians.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Camera {
    distance: f32,
    focal: f32,
    tilt: Turn,
    turn: Turn,
    middle: (f32, f32),
}

/// Sine and cosine of an angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    /// Its sine.
    pub(super) sin: f32,
    /// Its cosine.
    pub(super) cos: f32,
}

impl Turn {
    /// Of an angle in radians.
    pub(super) fn by(angle: f32) -> Self {
        Self {
            sin: libm::sin(f64::from(angle)) as f32,
            cos: libm::cos(f64::from(angle)) as f32,
        }
    }
}

/// A point of the picture, in pixels from its top left corner, and how many pixels a square's side has there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) scale: f32,
}

impl Camera {
    /// A camera at `distance` that sees the board's middle at `middle` (pixels) with `scale` pixels a square, `tilt`
    /// radians from straight above and turned by `turn` radians.
    pub(super) fn new(distance: f32, scale: f32, tilt: f32, turn: f32, middle: (f32, f32)) -> Self {
        Self {
            distance,
            focal: scale * distance,
            tilt: Turn::by(tilt),
            turn: Turn::by(turn),
            middle,
        }
    }

    /// How much shorter lengths towards the viewer look than those across.
    pub(super) const fn shortening(&self) -> f32 {
        self.tilt.cos
    }

    /// Where a point is seen: `x` and `y` from the top left corner of a8, `z` above the board.
    pub(super) fn see(&self, x: f32, y: f32, z: f32) -> Seen {
        let (x, y) = (x - 4.0, y - 4.0);
        let across = x * self.turn.cos - y * self.turn.sin;
        let near = x * self.turn.sin + y * self.turn.cos;
        let depth = self.distance - near * self.tilt.sin - z * self.tilt.cos;
        let scale = self.focal / depth;
        Seen {
            x: self.middle.0 + across * scale,
            y: self.middle.1 + (near * self.tilt.cos - z * self.tilt.sin) * scale,
            scale,
        }
    }

    /// The point of the board that is seen at a point of the picture; the inverse of [`Self::see`] for `z = 0`.
    pub(super) fn ground(&self, x: f32, y: f32) -> (f32, f32) {
        let right = (x - self.middle.0) / self.focal;
        let down = (y - self.middle.1) / self.focal;
        // down = near·cos / (D − near·sin), solved for near.
        let near = down * self.distance / (self.tilt.cos + down * self.tilt.sin);
        let across = right * (self.distance - near * self.tilt.sin);
        (
            across * self.turn.cos + near * self.turn.sin + 4.0,
            near * self.turn.cos - across * self.turn.sin + 4.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_on_the_ground_is_found_there_again() {
        for (tilt, turn) in [(0.0, 0.0), (0.3, 0.05), (0.7, -0.1)] {
            let camera = Camera::new(15.0, 31.0, tilt, turn, (160.0, 150.0));
            for (x, y) in [(0.0, 0.0), (8.0, 0.0), (0.0, 8.0), (3.3, 5.1)] {
                let seen = camera.see(x, y, 0.0);
                let (back_x, back_y) = camera.ground(seen.x, seen.y);
                // Ten roundings of numbers up to 320 pixels at 31 pixels a square.
                assert!((back_x - x).abs() < 1e-4 && (back_y - y).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_near_side_is_larger_and_what_is_high_leans_away() {
        let camera = Camera::new(15.0, 31.0, 0.5, 0.0, (160.0, 160.0));
        assert!(camera.see(4.0, 8.0, 0.0).scale > camera.see(4.0, 0.0, 0.0).scale);
        assert!(camera.see(4.0, 4.0, 1.0).y < camera.see(4.0, 4.0, 0.0).y);
        let above = Camera::new(15.0, 31.0, 0.0, 0.0, (160.0, 160.0));
        assert_eq!(above.see(4.0, 4.0, 1.0).y, above.see(4.0, 4.0, 0.0).y);
    }
}
