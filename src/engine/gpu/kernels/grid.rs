//! How many workgroups a task takes and which tile a product gets: functions of sizes alone; nothing is measured here.

use super::Task;
use super::task::Shape;

/// Workgroups that a dispatch may have in one direction.
const MOST_GROUPS: u32 = 65_535;
/// Numbers of a head at most, so that a tile of keys and values fits into shared memory.
pub(crate) const WIDEST_HEAD: u32 = 112;

/// How a product is divided: a workgroup's threads, its columns, and how many terms are shared at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tile {
    /// Threads of a workgroup; each has 4×4 numbers.
    pub(crate) threads: u32,
    /// Columns of a workgroup's tile.
    pub(crate) columns: u32,
    /// Terms of the sums that are in shared memory together.
    pub(crate) depth: u32,
}

impl Tile {
    const fn new(threads: u32, columns: u32, depth: u32) -> Self {
        Self {
            threads,
            columns,
            depth,
        }
    }

    /// Every one that is used.
    pub(crate) const ALL: [Self; 5] = [
        Self::new(256, 64, 16),
        Self::new(256, 32, 8),
        Self::new(256, 16, 8),
        Self::new(64, 32, 16),
        Self::new(64, 16, 16),
    ];

    /// Rows of a workgroup's tile.
    pub(crate) const fn rows(self) -> u32 {
        self.threads * 16 / self.columns
    }

    /// What it is, for people: `64×64 by 16 in 256 threads`.
    pub(crate) fn words(self) -> String {
        let Self {
            threads,
            columns,
            depth,
        } = self;
        format!("{}×{columns} by {depth} in {threads} threads", self.rows())
    }

    /// The override constants of a pipeline with this tile.
    pub(crate) fn constants(self) -> [(&'static str, f64); 3] {
        [
            ("THREADS", f64::from(self.threads)),
            ("TILE_COLUMNS", f64::from(self.columns)),
            ("DEPTH", f64::from(self.depth)),
        ]
    }

    /// The tile for so many rows and columns: as few columns as needed, and few threads where few tiles are left.
    pub(crate) fn choose(rows: u64, columns: u32) -> Self {
        let wide = match columns {
            0..=16 => Self::ALL[2],
            17..=32 => Self::ALL[1],
            _ => Self::ALL[0],
        };
        let tiles =
            rows.div_ceil(u64::from(wide.rows())) * u64::from(columns.div_ceil(wide.columns));
        match (tiles, columns) {
            (64.., _) => wide,
            (_, 0..=16) => Self::ALL[4],
            _ => Self::ALL[3],
        }
    }
}

/// A task with its division.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Dispatch {
    /// What to do.
    pub(crate) task: Task,
    /// The tile, for a product.
    pub(crate) tile: Option<Tile>,
    /// Workgroups.
    pub(crate) groups: [u32; 3],
}

/// The places of a convolution's output and of its input in one image, its columns and terms in one group.
impl Shape {
    pub(crate) const fn places(&self) -> u64 {
        self.out_height as u64 * self.out_width as u64
    }

    pub(crate) const fn in_places(&self) -> u64 {
        self.height as u64 * self.width as u64
    }

    /// Weights of one output channel.
    pub(crate) const fn depth(&self) -> u64 {
        self.size_y as u64 * self.size_x as u64 * (self.planes / self.groups) as u64
    }
}

impl Dispatch {
    /// Divides a task for at most so many rows; nothing where it needs more workgroups than a dispatch may have.
    pub(crate) fn new(task: Task, rows: u32) -> Option<Self> {
        let many = u64::from(rows);
        let tile = match &task {
            Task::Product(it) => {
                let shape = &it.shape;
                Some(Tile::choose(
                    many * shape.places(),
                    shape.channels / shape.groups,
                ))
            }
            Task::ProductInputGradient(it) => {
                let shape = &it.shape;
                Some(Tile::choose(
                    many * shape.in_places(),
                    shape.planes / shape.groups,
                ))
            }
            Task::ProductWeightGradient(it) => {
                let shape = &it.shape;
                Some(Tile::choose(
                    shape.depth() * u64::from(it.parts * shape.groups),
                    shape.channels / shape.groups,
                ))
            }
            _ => None,
        };
        Self::with_tile(task, rows, tile)
    }

    /// The same with a chosen tile.
    pub(crate) fn with_tile(task: Task, rows: u32, tile: Option<Tile>) -> Option<Self> {
        let groups = groups(&task, u64::from(rows), tile.unwrap_or(Tile::ALL[0]));
        let fit = groups.map(|count| {
            u32::try_from(count)
                .ok()
                .filter(|&count| count <= MOST_GROUPS)
        });
        match fit {
            [Some(x), Some(y), Some(z)] => Some(Self {
                task,
                tile,
                groups: [x, y, z],
            }),
            _ => None,
        }
    }
}

/// Workgroups where each thread of 256 takes one number after another.
fn each(count: u64) -> [u64; 3] {
    [count.div_ceil(256).clamp(1, u64::from(MOST_GROUPS)), 1, 1]
}

/// Workgroups that walk over stretches of sixteen rows, at least eight stretches each.
fn stretches(rows: u64, channels: u32) -> [u64; 3] {
    [
        u64::from(channels.div_ceil(16)),
        rows.div_ceil(128).clamp(1, 512),
        1,
    ]
}

fn groups(task: &Task, rows: u64, tile: Tile) -> [u64; 3] {
    let wide = u64::from;
    let tiles = |down: u64, across: u32, deep: u32| {
        [
            down.div_ceil(wide(tile.rows())),
            wide(across.div_ceil(tile.columns)),
            wide(deep),
        ]
    };
    match task {
        Task::Gather(it) => each(rows * wide(it.channels) * wide(it.places)),
        Task::Product(it) => tiles(
            rows * it.shape.places(),
            it.shape.channels / it.shape.groups,
            it.shape.groups,
        ),
        Task::ProductInputGradient(it) => tiles(
            rows * it.shape.in_places(),
            it.shape.planes / it.shape.groups,
            it.shape.groups,
        ),
        Task::ProductWeightGradient(it) => tiles(
            it.shape.depth(),
            it.shape.channels / it.shape.groups,
            it.shape.groups * it.parts,
        ),
        Task::Depthwise(it) => each(rows * it.shape.places() * wide(it.shape.channels)),
        Task::DepthwiseInputGradient(it) => {
            each(rows * it.shape.in_places() * wide(it.shape.channels))
        }
        Task::DepthwiseWeightGradient(it) => [
            wide(it.shape.channels.div_ceil(64)),
            wide(it.shape.size_y * it.shape.size_x + 1),
            wide(it.parts),
        ],
        Task::MaxPool(it) | Task::AveragePool(it) => {
            let window = it.window;
            each(rows * wide(window.out_height) * wide(window.out_width) * wide(window.channels))
        }
        Task::MaxPoolGradient(it) => {
            each(rows * wide(it.window.height) * wide(it.window.width) * wide(it.window.channels))
        }
        Task::AveragePoolGradient(it) => {
            each(rows * wide(it.window.height) * wide(it.window.width) * wide(it.window.channels))
        }
        Task::BatchNormStatistics(it) => [wide(it.channels.div_ceil(16)), wide(it.parts), 1],
        Task::BatchNormSums(it) => [wide(it.channels.div_ceil(16)), wide(it.parts), 1],
        Task::BatchNormNormalize(it) => stretches(rows * wide(it.places), it.channels),
        Task::BatchNormGradient(it) => stretches(rows * wide(it.places), it.channels),
        Task::LayerNorm(it) => [(rows * wide(it.places)).clamp(1, 16_384), 1, 1],
        Task::LayerNormGradient(it) => [wide(it.parts), 1, 1],
        Task::Attention(it) => [
            wide(it.tokens.div_ceil(16)),
            wide(it.heads),
            rows.clamp(1, 16_384),
        ],
        Task::AttentionGradient(it) => [
            2 * wide(it.tokens.div_ceil(16)),
            wide(it.heads),
            rows.clamp(1, 16_384),
        ],
        Task::Activation(it) => each(rows * wide(it.length)),
        Task::ActivationGradient(it) => each(rows * wide(it.length)),
        Task::Add(it) => each(rows * wide(it.length)),
        Task::Transpose(it) => each(rows * wide(it.height) * wide(it.width)),
        Task::Positions(it) => each(rows * wide(it.length)),
        Task::PositionsGradient(it) => [wide(it.length.div_ceil(64)), wide(it.parts), 1],
        Task::Dropout(it) => each(rows * wide(it.length)),
        Task::CrossEntropy(_) => [1, 1, 1],
        Task::Update(it) => each(wide(it.length)),
    }
}
