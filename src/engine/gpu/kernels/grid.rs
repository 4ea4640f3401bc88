//! How many workgroups a task takes: functions of sizes alone; nothing is measured here.

use super::Task;
use super::task::Shape;
use super::tile::{Device, Tile};

/// Longest side of an image that a product takes: rows and columns have sixteen bits.
const MOST_SIDE: u32 = 32_000;
/// Workgroups that a dispatch may have in one direction.
const MOST_GROUPS: u32 = 65_535;
/// Numbers of a head at most, so that a tile of keys and values fits into shared memory.
pub(crate) const WIDEST_HEAD: u32 = 112;

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

/// A product as tiles see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Product {
    /// Rows, columns and terms of each.
    pub(crate) sizes: [u64; 3],
    /// How many of them there are: groups, parts, remainders by strides.
    pub(crate) times: u64,
}

impl Task {
    /// The sizes of a convolution or linear layer.
    const fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Product(it)
            | Self::ProductQuads(it)
            | Self::LinearRow(it)
            | Self::Depthwise(it) => Some(&it.shape),
            Self::IntegerProduct(it) => Some(&it.shape),
            Self::ProductInputGradient(it)
            | Self::ProductInputGradientQuads(it)
            | Self::DepthwiseInputGradient(it) => Some(&it.shape),
            Self::ProductWeightGradient(it)
            | Self::ProductWeightGradientQuads(it)
            | Self::DepthwiseWeightGradient(it) => Some(&it.shape),
            _ => None,
        }
    }

    /// Whether it reads weights as halves.
    pub(crate) fn reads_halves(&self) -> bool {
        match self {
            Self::Product(it)
            | Self::ProductQuads(it)
            | Self::LinearRow(it)
            | Self::Depthwise(it) => it.factor < 1.0,
            _ => false,
        }
    }

    /// What a tiled task multiplies for so many rows of a batch.
    pub(crate) fn product(&self, rows: u32) -> Option<Product> {
        let many = u64::from(rows);
        let wide = u64::from;
        match self {
            Self::Product(it) | Self::ProductQuads(it) => {
                let shape = &it.shape;
                let columns = wide(shape.channels / shape.groups);
                Some(Product {
                    sizes: [many * shape.places(), columns, shape.depth()],
                    times: wide(shape.groups),
                })
            }
            Self::ProductInputGradient(it) | Self::ProductInputGradientQuads(it) => {
                let shape = &it.shape;
                let spots = wide(shape.size_y.div_ceil(shape.stride_y))
                    * wide(shape.size_x.div_ceil(shape.stride_x));
                Some(Product {
                    sizes: [
                        many * shape.remainder_places(),
                        wide(shape.planes / shape.groups),
                        spots * wide(shape.channels / shape.groups),
                    ],
                    times: wide(shape.groups * shape.stride_y * shape.stride_x),
                })
            }
            Self::ProductWeightGradient(it) | Self::ProductWeightGradientQuads(it) => {
                let shape = &it.shape;
                let terms = many * shape.places();
                Some(Product {
                    sizes: [
                        shape.depth(),
                        wide(shape.channels / shape.groups),
                        terms.div_ceil(wide(it.parts)),
                    ],
                    times: wide(shape.groups * it.parts),
                })
            }
            _ => None,
        }
    }
}

/// The places of a convolution's output and of its input in one image, its columns and terms in one group.
impl Shape {
    pub(crate) const fn places(&self) -> u64 {
        self.out_height as u64 * self.out_width as u64
    }

    pub(crate) const fn in_places(&self) -> u64 {
        self.height as u64 * self.width as u64
    }

    /// Places of its input with one remainder by the strides, at most.
    pub(crate) const fn remainder_places(&self) -> u64 {
        self.height.div_ceil(self.stride_y) as u64 * self.width.div_ceil(self.stride_x) as u64
    }

    /// Whether planes and channels of a group come in fours, so that kernels can take sixteen bytes at a time.
    pub(crate) const fn is_in_quads(&self) -> bool {
        (self.planes / self.groups).is_multiple_of(4)
            && (self.channels / self.groups).is_multiple_of(4)
    }

    /// Whether each output place reads one input place with all its planes, as a linear layer does.
    pub(crate) const fn is_linear(&self) -> bool {
        let single = [
            self.size_y,
            self.size_x,
            self.stride_y,
            self.stride_x,
            self.groups,
        ];
        let [a, b, c, d, e] = single;
        a * b * c * d * e == 1
            && self.out_height == self.height
            && self.out_width == self.width
            && self.top + self.left == 0
    }

    /// The longest side of its images.
    fn longest(&self) -> u32 {
        let sides = [self.height, self.width, self.out_height, self.out_width];
        sides.into_iter().fold(0, u32::max)
    }

    /// Weights of one output channel.
    pub(crate) const fn depth(&self) -> u64 {
        self.size_y as u64 * self.size_x as u64 * (self.planes / self.groups) as u64
    }
}

impl Dispatch {
    /// Divides a task for at most so many rows; nothing where it needs more workgroups than a dispatch may have.
    pub(crate) fn new(device: Device, task: Task, rows: u32) -> Option<Self> {
        let tile = task.product(rows).map(|it| {
            let [rows, columns, terms] = it.sizes;
            Tile::choose(device, rows * it.times, columns, terms)
        });
        Self::with_tile(task, rows, tile)
    }

    /// The same with a chosen tile.
    pub(crate) fn with_tile(task: Task, rows: u32, tile: Option<Tile>) -> Option<Self> {
        if task
            .shape()
            .is_some_and(|shape| shape.longest() > MOST_SIDE)
        {
            return None;
        }
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

    /// Workgroups for at most as many rows as it was made for.
    pub(crate) fn groups_for(&self, rows: u32) -> [u32; 3] {
        let groups = groups(
            &self.task,
            u64::from(rows),
            self.tile.unwrap_or(Tile::ALL[0]),
        );
        std::array::from_fn(|axis| {
            let count = u32::try_from(groups[axis]).unwrap_or(u32::MAX);
            self.groups[axis].min(count.max(1))
        })
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
    if let Some(Product {
        sizes: [down, across, _],
        times,
    }) = task.product(u32::try_from(rows).unwrap_or(u32::MAX))
    {
        return [
            down.div_ceil(wide(tile.rows())),
            across.div_ceil(wide(tile.columns())),
            times,
        ];
    }
    match task {
        Task::Gather(it) => each(rows * wide(it.channels) * wide(it.places)),
        Task::Depthwise(it) => each(rows * it.shape.places() * wide(it.shape.channels)),
        Task::LinearRow(it) => [
            wide(it.shape.channels.div_ceil(16)),
            rows * it.shape.places(),
            1,
        ],
        Task::DepthwiseInputGradient(it) => {
            each(rows * it.shape.in_places() * wide(it.shape.channels))
        }
        Task::DepthwiseWeightGradient(it) => [
            wide(it.shape.channels.div_ceil(16)),
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
        Task::Update(it) => each(wide(it.length)),
        Task::IntegerGather(it) => each(rows * wide(it.words)),
        Task::IntegerProduct(it) => {
            let words = wide(it.shape.channels.div_ceil(4));
            // A quarter of the threads of a workgroup, and so four times as many.
            each(4 * rows * it.shape.places() * words)
        }
        Task::IntegerPool(it) => {
            let window = it.window;
            let words = wide(window.channels.div_ceil(4));
            each(rows * wide(window.out_height) * wide(window.out_width) * words)
        }
        Task::IntegerMap(it) => each(rows * wide(it.words)),
        // Workgroups of 64 as well.
        Task::IntegerNorm(it) => each(4 * rows * wide(it.places)),
        Task::IntegerAttention(it) => each(4 * rows * wide(it.tokens) * wide(it.words)),
        Task::IntegerTranspose(it) => {
            let lines = wide(it.places * it.channels / it.line.max(1));
            each(rows * lines * wide(it.line.div_ceil(4)))
        }
        _ => [1, 1, 1],
    }
}
