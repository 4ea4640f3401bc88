//! How a product is divided among threads and which division it gets: from its sizes and what the device is; nothing is
//! measured here.

/// Sums of a thread: rows by columns of a product.
const THREAD_ROWS: u32 = 8;
const THREAD_COLUMNS: u32 = 4;

/// How a product is divided among a workgroup's threads, each with 8 rows by 4 columns of sums over a part of the terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tile {
    /// Parts of the terms that are in shared memory together; each has threads of its own.
    pub(crate) slices: u32,
    /// Threads one below the other.
    pub(crate) row_threads: u32,
    /// Threads side by side.
    pub(crate) column_threads: u32,
    /// Terms that are in shared memory together, in fours.
    pub(crate) depth_quads: u32,
}

impl Tile {
    const fn new([rows, columns]: [u32; 2], slices: u32, depth: u32) -> Self {
        Self {
            slices,
            row_threads: rows / THREAD_ROWS,
            column_threads: columns / THREAD_COLUMNS,
            depth_quads: depth / 4,
        }
    }

    /// Every one that is used; [`super::tests`] holds them to what the kernels can do.
    pub(crate) const ALL: [Self; 8] = [
        Self::new([128, 64], 1, 16),
        Self::new([64, 64], 1, 16),
        Self::new([128, 32], 1, 16),
        Self::new([64, 32], 2, 32),
        Self::new([32, 32], 4, 32),
        Self::new([128, 16], 2, 16),
        Self::new([64, 16], 4, 32),
        Self::new([16, 16], 16, 64),
    ];

    /// Rows of a workgroup's tile.
    pub(crate) const fn rows(self) -> u32 {
        THREAD_ROWS * self.row_threads
    }

    /// Columns of a workgroup's tile.
    pub(crate) const fn columns(self) -> u32 {
        THREAD_COLUMNS * self.column_threads
    }

    /// Terms that are in shared memory together.
    pub(crate) const fn depth(self) -> u32 {
        4 * self.depth_quads
    }

    /// Threads of a workgroup.
    pub(crate) const fn threads(self) -> u32 {
        self.slices * self.row_threads * self.column_threads
    }

    /// What it is, for people: `64×32 by 32 in 2 slices`.
    pub(crate) fn words(self) -> String {
        let Self { slices, .. } = self;
        let [rows, columns, depth] = [self.rows(), self.columns(), self.depth()];
        let word = if slices == 1 { "slice" } else { "slices" };
        format!("{rows}×{columns} by {depth} in {slices} {word}")
    }

    /// The override constants of a pipeline with this tile.
    pub(crate) fn constants(self) -> [(&'static str, f64); 4] {
        [
            ("SLICES", f64::from(self.slices)),
            ("ROW_THREADS", f64::from(self.row_threads)),
            ("COLUMN_THREADS", f64::from(self.column_threads)),
            ("DEPTH_QUADS", f64::from(self.depth_quads)),
        ]
    }

    /// Workgroups that a product takes.
    pub(crate) const fn count(self, rows: u64, columns: u64) -> u64 {
        rows.div_ceil(self.rows() as u64) * columns.div_ceil(self.columns() as u64)
    }

    /// How long a product takes with this tile, in a unit of its own; for comparing tiles, not for knowing times.
    ///
    /// A workgroup's work is its multiplications, those of places beyond the product's edges with them, and what it
    /// fetches, of which a number costs as much as [`Device::fetching`] multiplications. Small products wait for one workgroup,
    /// whose threads share its work; large ones for all workgroups, which share what the device computes at a time.
    pub(crate) fn cost(self, device: Device, rows: u64, columns: u64, terms: u64) -> f64 {
        let [height, width] = [self.rows(), self.columns()].map(f64::from);
        let depth = terms.max(1).next_multiple_of(u64::from(self.depth())) as f64;
        let one = depth * (height * width + device.fetching * (height + width));
        let all = one * self.count(rows, columns) as f64;
        let busy = device.busy_threads;
        (one / f64::from(self.threads()).min(busy)).max(all / busy)
    }

    /// The tile that a product gets if nothing was measured.
    pub(crate) fn choose(device: Device, rows: u64, columns: u64, terms: u64) -> Self {
        let cost = |tile: &Self| tile.cost(device, rows, columns, terms);
        Self::ALL
            .into_iter()
            .reduce(|best, tile| {
                if cost(&tile) < cost(&best) {
                    tile
                } else {
                    best
                }
            })
            .unwrap_or(Self::ALL[0])
    }
}

/// What division asks of a device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Device {
    /// Threads that it keeps busy.
    pub(crate) busy_threads: f64,
    /// Multiplications that cost as much as fetching a number: its address, its test for the image's edge, its way through
    /// shared memory.
    pub(crate) fetching: f64,
}

impl Device {
    /// A large GPU; fetching as counted in the kernels' texts.
    pub(crate) const HARDWARE: Self = Self {
        busy_threads: 32_768.0,
        fetching: 6.0,
    };
    /// A program on a few processors: threads take turns, so idle ones are no loss and divided work is no gain; fetching
    /// as the rates of all tiles on SwiftShader say (`cargo xtask bench gpu` there).
    pub(crate) const SOFTWARE: Self = Self {
        busy_threads: 16.0,
        fetching: 50.0,
    };
}
