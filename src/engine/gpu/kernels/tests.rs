//! Every kernel's text is valid WGSL and says what the table says, within the limits that WebGPU promises everywhere.

use super::grid::Product;
use super::tile::{Device, Tile};
use super::{BINDINGS, Kernel};
use crate::engine::gpu::kernels::task::{Turn, Words};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, TypeInner};
use std::collections::BTreeSet;

/// WebGPU's default limits (W3C, "WebGPU", section 3.6.2): what every adapter has.
const MOST_THREADS: u32 = 256;
const MOST_SHARED: u32 = 16_384;
const MOST_STORAGE_BUFFERS: usize = 8;
const UNIFORM_WORDS: usize = 64;

/// `unpack2x16float` is part of WGSL; naga asks for it because some drivers below WebGPU lack it.
const CAPABILITIES: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

fn parsed(kernel: Kernel) -> Module {
    let row = kernel.row();
    naga::front::wgsl::parse_str(kernel.source())
        .unwrap_or_else(|error| panic!("{}: {}", row.name, error.emit_to_string(kernel.source())))
}

/// Threads and bytes of shared memory with the constants of a tile.
fn sizes(kernel: Kernel, tile: Option<Tile>) -> [u32; 2] {
    let module = parsed(kernel);
    let name = kernel.row().name;
    let info = Validator::new(ValidationFlags::all(), CAPABILITIES)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{name}: {}", error.emit_to_string(kernel.source())));
    let constants = tile.map(Tile::constants).into_iter().flatten();
    let constants = constants
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let entry = Some((ShaderStage::Compute, "main"));
    let (module, _) =
        naga::back::pipeline_constants::process_overrides(&module, &info, entry, &constants)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    let threads = module.entry_points[0].workgroup_size.iter().product();
    let shared = (module.global_variables.iter())
        .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
        .map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx()))
        .sum();
    [threads, shared]
}

#[test]
fn every_kernel_fits_into_every_adapter() {
    for &kernel in Kernel::ALL {
        let row = kernel.row();
        let tiles: Vec<Option<Tile>> = match row.tiled {
            true => Tile::ALL.into_iter().map(Some).collect(),
            false => vec![None],
        };
        for tile in tiles {
            let [threads, shared] = sizes(kernel, tile);
            let wanted = tile.map_or(row.threads, |tile| tile.threads());
            assert_eq!(threads, wanted, "{}: threads", row.name);
            assert!(threads <= MOST_THREADS, "{}: {threads} threads", row.name);
            assert!(
                shared <= MOST_SHARED,
                "{} with {tile:?}: {shared} bytes shared",
                row.name
            );
        }
    }
}

#[test]
fn every_kernel_binds_what_the_table_says() {
    for &kernel in Kernel::ALL {
        let row = kernel.row();
        let module = parsed(kernel);
        let mut found = BTreeSet::new();
        let mut storage = 0;
        for (_, variable) in module.global_variables.iter() {
            let Some(binding) = &variable.binding else {
                continue;
            };
            let name = variable.name.as_deref().unwrap_or_default();
            assert_eq!(binding.group, 0, "{}: {name}", row.name);
            assert_eq!(
                BINDINGS.get(binding.binding as usize),
                Some(&name),
                "{}",
                row.name
            );
            let may_write = match variable.space {
                AddressSpace::Storage { access } => {
                    storage += 1;
                    access.contains(naga::StorageAccess::STORE)
                }
                _ => false,
            };
            let writable = matches!(name, "weights" | "moments" | "values" | "metrics");
            assert_eq!(may_write, writable, "{}: {name}", row.name);
            found.insert(name.to_owned());
        }
        let wanted: BTreeSet<String> = (row.bindings.iter())
            .chain(&["task"])
            .map(|name| (*name).to_owned())
            .collect();
        assert_eq!(found, wanted, "{}", row.name);
        assert!(storage <= MOST_STORAGE_BUFFERS, "{}", row.name);
    }
}

/// The members of a struct as `name: type`, which must stand four bytes apart.
fn members(module: &Module, name: &str) -> Vec<String> {
    let (_, found) = (module.types.iter())
        .find(|(_, of)| of.name.as_deref() == Some(name))
        .unwrap_or_else(|| panic!("no struct {name}"));
    let TypeInner::Struct { members, .. } = &found.inner else {
        panic!("{name} is no struct");
    };
    (members.iter().enumerate())
        .map(|(index, member)| {
            assert_eq!(
                member.offset as usize,
                4 * index,
                "{name}: {:?}",
                member.name
            );
            let kind = match module.types[member.ty].inner {
                TypeInner::Scalar(naga::Scalar::U32) => "u32",
                TypeInner::Scalar(naga::Scalar::F32) => "f32",
                _ => "another type",
            };
            format!("{}: {kind}", member.name.as_deref().unwrap_or_default())
        })
        .collect()
}

#[test]
fn every_kernel_reads_the_words_that_it_is_told() {
    let mut turn = Vec::new();
    Turn::fields("", &mut turn);
    for &kernel in Kernel::ALL {
        let module = parsed(kernel);
        assert_eq!(
            members(&module, "Task"),
            kernel.fields(),
            "{}",
            kernel.row().name
        );
        assert!(kernel.fields().len() <= UNIFORM_WORDS);
        if kernel.row().bindings.contains(&"turn") {
            assert_eq!(members(&module, "Turn"), turn, "{}", kernel.row().name);
        }
    }
}

#[test]
fn every_kernel_begins_with_a_header_and_has_no_infinity() {
    for &kernel in Kernel::ALL {
        let row = kernel.row();
        let header = row
            .file
            .lines()
            .take_while(|line| line.starts_with("// "))
            .count();
        assert_eq!(header, 5, "{}: lines of its header", row.name);
        for word in ["0x7f800000", "0xff800000"] {
            let uses = kernel.source().matches(word).count();
            let masks = kernel.source().matches(&format!("& {word}u) >=")).count();
            assert_eq!(uses, masks, "{}: {word} other than as a mask", row.name);
        }
    }
}

#[test]
fn another_text_than_the_tables_is_found() {
    let wrong = parsed(Kernel::Add);
    assert_ne!(members(&wrong, "Task"), Kernel::Transpose.fields());
    let mut tile = Tile::ALL[0];
    tile.depth_quads *= 2;
    let [threads, shared] = sizes(Kernel::Product, Some(tile));
    assert!(threads == 256 && shared > MOST_SHARED);
    assert!(!is_possible(tile));
}

/// What the tiled kernels take for granted: whole fours of quads for each thread to fetch, the same quad of terms in each
/// of its rows, whole slices, room for a slice's sums.
fn is_possible(tile: Tile) -> bool {
    let threads = tile.threads();
    let left = tile.rows() * tile.depth_quads;
    let right = tile.depth() * tile.column_threads;
    let blocks = tile.depth_quads * (tile.row_threads | 1);
    let bytes = 16 * (9 * blocks + 5 * tile.depth_quads * tile.column_threads)
        + 8 * tile.rows().max(2 * tile.depth());
    let fetched = |quads: u32| quads <= threads || quads.is_multiple_of(threads);
    threads.is_power_of_two()
        && threads <= MOST_THREADS
        && fetched(left)
        && fetched(right)
        && left.div_ceil(threads) <= 4
        && right.div_ceil(threads) <= 4
        && left >= threads
        && tile.depth() <= threads
        && threads.is_multiple_of(tile.depth_quads)
        && threads.is_multiple_of(2 * tile.row_threads)
        && tile.depth_quads.is_multiple_of(tile.slices)
        && tile.slices.is_power_of_two()
        && (tile.slices == 1 || blocks >= tile.row_threads * tile.column_threads)
        && bytes <= MOST_SHARED
}

#[test]
fn every_tile_is_one_that_the_kernels_can_do() {
    for tile in Tile::ALL {
        assert!(is_possible(tile), "{}", tile.words());
    }
}

#[test]
fn small_products_get_small_tiles_and_slices_and_large_ones_large_tiles() {
    let chosen = |device, times, sizes| Tile::choose(device, &Product { sizes, times }).words();
    let on_hardware = |rows, columns, terms| chosen(Device::HARDWARE, 1, [rows, columns, terms]);
    assert_eq!(on_hardware(1 << 20, 64, 1024), "128×64 by 16 in 1 slice");
    assert_eq!(on_hardware(1 << 16, 16, 144), "128×16 by 16 in 2 slices");
    assert_eq!(on_hardware(4096, 64, 576), "64×32 by 32 in 4 slices");
    assert_eq!(on_hardware(64, 64, 576), "16×16 by 64 in 16 slices");
    assert_eq!(on_hardware(1, 256, 784), "16×16 by 64 in 16 slices");
    // Parts of a few rows each leave places empty in every one of them.
    let parts = chosen(Device::HARDWARE, 43, [144, 16, 1525]);
    assert_eq!(parts, "16×16 by 64 in 16 slices");
    let in_software = |rows, columns, terms| chosen(Device::SOFTWARE, 1, [rows, columns, terms]);
    assert_eq!(in_software(1 << 16, 16, 144), "128×16 by 16 in 2 slices");
    assert_eq!(in_software(64, 256, 784), "64×64 by 16 in 1 slice");
}
