//! Shows the numbers of every value of a network on some rows, as integer inference divides it into steps; it keeps none.

use super::forward::{Draw, step};
use super::parameters::Layout;
use super::plan::{Mode, Plan};
use super::program::Program;
use super::rows;
use crate::data::Rows;
use crate::error::Result;
use crate::model::{Graph, Weights};

/// Runs rows through a network and calls with the number of each value that is computed, and its numbers, channels last:
/// 0 for the input, `n + 1` for node `n`. A value is seen once for each chunk of rows.
///
/// # Errors
/// [`crate::error::Error::BadInput`] for a row that is not there, and where rows, graph and weights do not fit.
pub fn observe(
    graph: &Graph,
    weights: &Weights,
    data: &Rows,
    numbers: &[u32],
    mut see: impl FnMut(usize, &[f32]),
) -> Result<()> {
    weights.check(graph)?;
    rows::check_whole(data)?;
    rows::check_numbers(data, numbers)?;
    let nodes = graph.resolve()?;
    let layout = Layout::new(&nodes);
    let mut parameters = vec![0.0; layout.len];
    layout.load(weights, "the weights", &mut parameters)?;
    let plan = Plan::with_tables(graph, &nodes, &layout)?;
    let mut program = Program::of(plan, &layout, Mode::Inference);
    program.pack(&parameters);
    let chunk = program.chunk_rows(numbers.len());
    for numbers in numbers.chunks(chunk) {
        let count = numbers.len();
        let input = program.values[0];
        rows::gather(data, numbers, program.buffers.get_mut(input, count));
        see(0, program.buffers.get(input, count));
        for index in 0..program.steps.len() {
            step(&mut program, index, &parameters, count, Draw::default());
            let value = program.steps[index].output;
            see(value, program.buffers.get(program.values[value], count));
        }
    }
    Ok(())
}
