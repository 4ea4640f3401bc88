//! The stage that reads whole boards by the rules of the game, with the model that was just scored; it trains nothing and
//! changes no answer.

use super::Run;
use crate::data::Dataset;
use crate::data::chess::POSITIONS_PER_GAME;
use crate::engine::Executable;
use crate::error::{Error, Result};
use crate::eval;
use crate::eval::latency::{Call, Latency as Measurement};
use crate::lab::jobs::measure;
use crate::lab::prepared::Prepared;
use crate::recipe::Recipe;
use crate::result::Latency;
use crate::runlog::record::{Record, Status};
use crate::system::{self, CLASSES, PLACES, Reader};

/// Events are this far apart.
const EVENT_MILLIS: f64 = 100.0;

/// Refuses a recipe that reads boards where the test rows are not those of whole games, in their order.
///
/// # Errors
/// [`Error::BadInput`] in words.
pub(super) fn check(recipe: &Recipe, prepared: &Prepared) -> Result<()> {
    if recipe.reads_boards().is_none() {
        return Ok(());
    }
    let of_game = PLACES * POSITIONS_PER_GAME as usize;
    let groups = prepared.dataset.groups.as_ref();
    let is_game = |rows: &[u32]| {
        let first = rows[0];
        let game = groups.and_then(|it| it.of_row.get(first as usize));
        rows.len() == of_game
            && first.is_multiple_of(of_game as u32)
            && game == Some(&(first / of_game as u32))
            && rows
                .iter()
                .zip(first..)
                .all(|(row, expected)| *row == expected)
    };
    if prepared.split.test.chunks(of_game).all(is_game) {
        return Ok(());
    }
    Err(Error::bad_input(
        "reading.rule",
        "test rows that are whole games; switch the rule off or take out the faults and edits that remove rows",
        "games with rows missing",
    ))
}

/// Walks over the boards of the test games, again and again.
struct Boards<'a> {
    dataset: &'a Dataset,
    test: &'a [u32],
    change: f64,
    reader: Box<dyn Reader>,
    next: usize,
}

impl Boards<'_> {
    /// Reads the next board; the class of each place, and how many squares were looked at.
    async fn read(&mut self, executable: &mut dyn Executable) -> Result<(Vec<u8>, usize)> {
        let rows = &self.test[self.next * PLACES..][..PLACES];
        let first = rows[0];
        let picture = first / PLACES as u32;
        let places = if picture.is_multiple_of(POSITIONS_PER_GAME) {
            self.reader.begin(picture / POSITIONS_PER_GAME)?;
            (0..PLACES as u8).collect()
        } else {
            system::changed(self.dataset, first - PLACES as u32, first, self.change)
        };
        let looked: Vec<u32> = (places.iter().map(|place| first + u32::from(*place))).collect();
        let logits = if looked.is_empty() {
            Vec::new()
        } else {
            executable.logits(&looked).await?
        };
        let said = eval::log_probabilities(&logits, CLASSES);
        self.next = (self.next + 1) % (self.test.len() / PLACES);
        Ok((self.reader.read(&places, &said)?, places.len()))
    }
}

impl Run<'_> {
    /// Reads the boards of the test games, where the recipe asks for it, and times them; a stop leaves nothing of it.
    pub(super) async fn read_boards(
        &self,
        draft: &mut Record,
        executable: &mut dyn Executable,
    ) -> Result<()> {
        let Some(spec) = draft.recipe.reads_boards().cloned() else {
            return Ok(());
        };
        let (Status::Complete, Some(answers)) = (draft.status, &draft.predictions) else {
            return Ok(());
        };
        let context = self.context;
        let test = &self.prepared.split.test;
        let mut boards = Boards {
            dataset: &self.prepared.dataset,
            test,
            change: spec.change(),
            reader: (context.shared.sets).reader(&draft.recipe.data, spec.kept())?,
            next: 0,
        };
        let count = test.len() / PLACES;
        let mut read = system::Read {
            classes: Vec::with_capacity(test.len()),
            looked_at: 0,
        };
        for board in 0..count {
            if board.is_multiple_of(POSITIONS_PER_GAME as usize) {
                self.stage("reading boards", board as f64 / count as f64);
            }
            let (classes, looked_at) = boards.read(executable).await?;
            read.classes.extend(classes.into_iter().map(u16::from));
            read.looked_at += looked_at as u64;
            if context.breathe().await {
                draft.status = Status::Stopped;
                return Ok(());
            }
        }
        let evaluation = &draft.recipe.evaluation;
        let whole = draft.results.cost.as_ref().map_or(0, |cost| cost.macs);
        // Of two stages the second was asked about some squares alone.
        let stages = draft.results.stages.as_ref();
        let of_stages = stages.and_then(|it| it["answers"]["macs_per_row"].as_f64());
        let macs = of_stages.map_or(whole, |macs| (macs + 0.5) as u64);
        let mut found = system::outcome(
            answers,
            &read,
            POSITIONS_PER_GAME as usize,
            macs,
            evaluation.confidence,
        )?;
        if evaluation.latency_secs > 0.0 {
            let stage = Some("timing boards, square by square");
            let squares = PLACES as u32;
            let without = measure::latency(context, executable, test, squares, evaluation, stage);
            found.without.latency = without.await?;
            if found.without.latency.is_some() {
                found.with.latency = self.timed(&mut boards, executable, evaluation).await?;
            }
            if found.with.latency.is_none() {
                draft.status = Status::Stopped;
                return Ok(());
            }
        }
        draft.results.reading = serde_json::to_value(found).ok();
        Ok(())
    }

    /// Latency of reading a board by the rule, over the boards one after the other; nothing where the person stopped it.
    async fn timed(
        &self,
        boards: &mut Boards<'_>,
        executable: &mut dyn Executable,
        evaluation: &crate::recipe::EvaluationSpec,
    ) -> Result<Option<Latency>> {
        let context = self.context;
        let mut measurement = Measurement::new(
            PLACES as u32,
            evaluation.latency_secs * 1000.0,
            context.clock.resolution_micros(),
            evaluation.confidence,
        );
        let mut said_millis = context.clock.now_millis();
        context.shared.watch_hidden();
        while let Call::Warmup(calls) | Call::Time(calls) = measurement.next() {
            let began = context.clock.now_millis();
            for _ in 0..calls {
                boards.read(executable).await?;
            }
            let now = context.clock.now_millis();
            measurement.record(now - began);
            if now - said_millis >= EVENT_MILLIS {
                said_millis = now;
                self.stage("timing boards by the rule", measurement.fraction());
            }
            if context.breathe().await {
                return Ok(None);
            }
        }
        Ok(Some(measurement.finish(context.shared.was_hidden())))
    }
}
