//! `vibration`: windows of the acceleration that a sensor on a rotating machine measures, made by our own code from a seed.
//!
//! Nothing is loaded and no real machine was measured: each condition is the textbook's signal. A shaft turns with `f`
//! about 29 times a second; the bearing is the deep groove ball bearing 6205 with 9 balls of 0.3126 in on a pitch circle of
//! 1.537 in, contact angle 0. With `r = ball / pitch · cos(angle)` a ball passes a fault of the outer race `9/2·f·(1 − r)`
//! = 3.585 f times a second and one of the inner race `9/2·f·(1 + r)` = 5.415 f times (R. Randall and J. Antoni, "Rolling
//! element bearing diagnostics: a tutorial", 2011, doi:10.1016/j.ymssp.2010.07.017, section 2). Each pass rings a
//! resonance of the machine; an inner fault goes through the loaded zone once a turn, so its blows swell with the shaft.
//! Imbalance is one sine a turn, misalignment one, two and three. All arithmetic is + − × ÷ in f64 and `libm`.

use super::{Dataset, Edited, Expected, Groups, Values};
use crate::error::{Error, Result};
use crate::recipe::DataSpec;
use crate::rng::Stream;
use std::f64::consts::TAU;

/// The version of this generator. Whatever changes a byte of a set needs the next one.
pub const GENERATOR: u32 = 1;

/// Numbers of a window: an eighth of a second, three to four turns of the shaft.
pub const WINDOW: usize = 256;

/// Numbers a second.
const SAMPLES_PER_SEC: f64 = 2048.0;

/// Machines of a set; the last one only tests.
const MACHINES: u32 = 12;

/// Passes of a ball over a fault in one turn of the shaft: outer race, inner race.
const PASSES: [f64; 2] = [4.5 * (1.0 - 0.3126 / 1.537), 4.5 * (1.0 + 0.3126 / 1.537)];

/// The acceleration of one step of the recorder, in g; it reaches from −3.97 to 3.97 g.
const G_PER_STEP: f64 = 1.0 / 32.0;
/// What the recorder writes for 0 g.
const ZERO: f64 = 128.0;
/// What it writes where nothing arrived.
const NOTHING: u8 = 0;

/// Share of the windows in which a sensor that is not sound shows it.
const AFFECTED: f32 = 0.25;

const CLASSES: [&str; 5] = [
    "healthy",
    "imbalance",
    "misalignment",
    "inner race",
    "outer race",
];

/// What is wrong with the sensor in a quarter of the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensor {
    /// Nothing.
    Sound,
    /// Some numbers in a row did not arrive and were written as 0.
    Gaps,
    /// From some moment on it repeats one number.
    Stuck,
    /// It cannot tell more than half a g.
    Clipped,
}

/// What decides a set, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Windows, in 600..=20000; rounded up to as many of each machine and condition.
    pub windows: u32,
    /// How much load, speed and noise vary, in 0..=1.
    pub difficulty: f64,
    /// How much noisier and slower the last machine is than the first, in 0..=1.
    pub drift: f64,
    /// What is wrong with the sensor.
    pub sensor: Sensor,
    /// Seed of the machines and windows.
    pub seed: u32,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            windows: 3000,
            difficulty: 0.3,
            drift: 0.0,
            sensor: Sensor::Sound,
            seed: 1,
        }
    }
}

impl Parameters {
    /// Windows of each machine and condition.
    const fn windows_each(&self) -> u32 {
        self.windows.div_ceil(MACHINES * CLASSES.len() as u32)
    }

    /// The parameters that a recipe names.
    ///
    /// # Errors
    /// [`Error::BadInput`] for another generator or sensor than there is.
    pub fn from_spec(spec: &DataSpec) -> Result<Self> {
        if spec.generator() != GENERATOR {
            return Err(Error::bad_input(
                "data.generator",
                GENERATOR.to_string(),
                spec.generator().to_string(),
            ));
        }
        let sensor = match spec.sensor() {
            "sound" => Sensor::Sound,
            "gaps" => Sensor::Gaps,
            "stuck" => Sensor::Stuck,
            "clipped" => Sensor::Clipped,
            other => {
                return Err(Error::bad_input(
                    "data.sensor",
                    "sound, gaps, stuck or clipped",
                    other,
                ));
            }
        };
        Ok(Self {
            windows: spec.size(),
            difficulty: spec.difficulty(),
            drift: spec.drift(),
            sensor,
            seed: spec.seed(),
        })
    }

    fn check(&self) -> Result<()> {
        if !(600..=20_000).contains(&self.windows) {
            return Err(Error::bad_input(
                "data.size",
                "600 to 20000 windows",
                self.windows.to_string(),
            ));
        }
        for (path, value) in [
            ("data.difficulty", self.difficulty),
            ("data.drift", self.drift),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::bad_input(
                    path,
                    "a number from 0 to 1",
                    value.to_string(),
                ));
            }
        }
        Ok(())
    }
}

/// Makes the set of these parameters: rows of 1×1×256 numbers of 32 steps a g around 128, machine by machine.
///
/// # Errors
/// [`Error::BadInput`] for a parameter out of its range, before anything is allocated.
pub fn generate(parameters: &Parameters) -> Result<Dataset> {
    let mut making = Making::new(parameters)?;
    while making.record().is_some() {}
    Ok(making.done())
}

/// The set without its signals, to plan by.
///
/// # Errors
/// As [`generate`].
pub fn outline(parameters: &Parameters) -> Result<Dataset> {
    parameters.check()?;
    let each = parameters.windows_each();
    let rows = 0..each * MACHINES * CLASSES.len() as u32;
    Ok(Dataset {
        set: "vibration".into(),
        title: "Vibration of rotating machines, synthesized".into(),
        attribution: "Made by Assay's own generator".into(),
        licence: "MIT OR Apache-2.0".into(),
        classes: CLASSES.map(String::from).to_vec(),
        channels: 1,
        height: 1,
        width: WINDOW as u32,
        values: Values::Bytes {
            max: u8::MAX,
            values: Vec::new(),
        },
        labels: (rows.clone())
            .map(|row| (row / each % CLASSES.len() as u32) as u16)
            .collect(),
        groups: Some(Groups {
            name: "machine".into(),
            of_row: rows
                .map(|row| row / (each * CLASSES.len() as u32))
                .collect(),
            reserved: vec![MACHINES - 1],
        }),
        expected: Expected {
            // A window begins anywhere in a turn.
            learnable: Some(false),
            ..Expected::unknown(CLASSES.len())
        },
        notes: Vec::new(),
        source: String::new(),
        edited: Edited::default(),
    })
}

/// A set on its way, condition by condition of each machine.
pub struct Making {
    parameters: Parameters,
    dataset: Dataset,
    values: Vec<u8>,
    made: u32,
}

impl Making {
    /// Begins the set of these parameters.
    ///
    /// # Errors
    /// As [`generate`].
    pub fn new(parameters: &Parameters) -> Result<Self> {
        let dataset = outline(parameters)?;
        Ok(Self {
            parameters: *parameters,
            values: Vec::with_capacity(dataset.labels.len() * WINDOW),
            dataset,
            made: 0,
        })
    }

    /// Makes the windows of the next condition; the share that is done, or nothing where all were.
    fn record(&mut self) -> Option<f64> {
        let parameters = &self.parameters;
        let classes = CLASSES.len() as u32;
        let (machine, class) = (self.made / classes, (self.made % classes) as usize);
        if machine >= MACHINES {
            return None;
        }
        let made = Machine::new(parameters, machine);
        for window in 0..parameters.windows_each() {
            let index = u64::from(machine) << 48 | (class as u64) << 32 | u64::from(window);
            let mut random = Stream::new(parameters.seed, "vibration/1 window", index);
            let signal = made.signal(class, parameters.difficulty, &mut random);
            let mut written = signal.map(written);
            disturb(&mut written, parameters.sensor, &mut random);
            self.values.extend(written);
        }
        self.made += 1;
        Some(f64::from(self.made) / f64::from(MACHINES * classes))
    }

    fn done(mut self) -> Dataset {
        self.dataset.values = Values::Bytes {
            max: u8::MAX,
            values: self.values,
        };
        self.dataset
    }
}

impl super::Making for Making {
    fn step(&mut self) -> Result<Option<f64>> {
        Ok(self.record())
    }
    fn finish(mut self: Box<Self>) -> Result<Dataset> {
        while self.record().is_some() {}
        Ok(self.done())
    }
}

/// What a machine is like in every condition.
struct Machine {
    turns_per_sec: f64,
    /// Acceleration of its own imbalance, in g.
    own_imbalance: f64,
    /// Deviation of the noise, in g.
    noise: f64,
    /// Frequency of its resonance in a second, and by how much a number of it shrinks to the next.
    resonance: f64,
    decay: f64,
    /// How strongly its faults show.
    severity: f64,
}

/// A number between two others.
fn between(random: &mut Stream, from: f64, to: f64) -> f64 {
    from + (to - from) * f64::from(random.unit())
}

impl Machine {
    fn new(parameters: &Parameters, machine: u32) -> Self {
        let mut random = Stream::new(parameters.seed, "vibration/1 machine", u64::from(machine));
        let hard = parameters.difficulty;
        let late = parameters.drift * f64::from(machine) / f64::from(MACHINES - 1);
        Self {
            turns_per_sec: 29.5 + between(&mut random, -2.0, 2.0) * hard - 5.0 * late,
            own_imbalance: between(&mut random, 0.02, 0.10 + 0.2 * hard),
            noise: 0.03 + between(&mut random, 0.05, 0.35) * hard + 0.25 * late,
            resonance: between(&mut random, 520.0, 860.0),
            decay: between(&mut random, 0.80, 0.90),
            severity: 1.0 - between(&mut random, 0.0, 0.6) * hard,
        }
    }

    /// One window in g.
    fn signal(&self, class: usize, hard: f64, random: &mut Stream) -> [f64; WINDOW] {
        // The load goes from one value to another within the window and takes speed with it.
        let load = 1.0 + between(random, -0.5, 0.5) * hard;
        let change = between(random, -0.4, 0.4) * hard;
        let severity = self.severity * (1.0 - between(random, 0.0, 0.3) * hard);
        let phases: [f64; 3] = std::array::from_fn(|_| between(random, 0.0, TAU));
        let own = self.own_imbalance;
        let harmonics = match class {
            1 => [own + 0.9 * severity, 0.05, 0.0],
            2 => [own + 0.3 * severity, 0.7 * severity, 0.25 * severity],
            _ => [own, 0.03, 0.0],
        };
        let passes = match class {
            3 => Some(PASSES[1]),
            4 => Some(PASSES[0]),
            _ => None,
        };
        let mut next_pass = between(random, 0.0, 1.0);
        let turn = TAU * self.resonance / SAMPLES_PER_SEC;
        let (first, second) = (2.0 * self.decay * libm::cos(turn), self.decay * self.decay);
        let (mut before, mut before_that) = (0.0, 0.0);
        let mut turned = 0.0;
        let mut signal = [0.0; WINDOW];
        for (index, value) in signal.iter_mut().enumerate() {
            let through = index as f64 / WINDOW as f64;
            let load = load + change * through;
            // A loaded motor slips: 3 % less speed at twice the load.
            turned += self.turns_per_sec * (1.0 - 0.03 * (load - 1.0)) / SAMPLES_PER_SEC;
            let mut sum = 0.0;
            for (order, (amplitude, phase)) in harmonics.iter().zip(phases).enumerate() {
                if *amplitude > 0.0 {
                    sum += amplitude * libm::sin(TAU * turned * (order + 1) as f64 + phase);
                }
            }
            let mut blow = 0.0;
            if let Some(passes) = passes
                && turned * passes >= next_pass
            {
                // Balls slide a little: 2 % of a pass.
                next_pass += 1.0 + 0.02 * f64::from(random.normal());
                blow = 1.6 * severity;
                if class == 3 {
                    blow *= 0.55 + 0.45 * libm::cos(TAU * turned + phases[0]);
                }
            }
            let ring = first * before - second * before_that + blow;
            before_that = before;
            before = ring;
            *value = load * (sum + ring) + self.noise * f64::from(random.normal());
        }
        signal
    }
}

/// What the recorder writes: a whole number of steps, never the one that says that nothing arrived.
fn written(acceleration: f64) -> u8 {
    (acceleration / G_PER_STEP + ZERO + 0.5).clamp(1.0, 255.0) as u8
}

/// Does what a bad sensor does to one window, or nothing.
fn disturb(written: &mut [u8; WINDOW], sensor: Sensor, random: &mut Stream) {
    if sensor == Sensor::Sound || random.unit() >= AFFECTED {
        return;
    }
    let from = random.below(WINDOW as u32 / 2) as usize;
    match sensor {
        Sensor::Gaps => {
            let length = 16 + random.below(81) as usize;
            written[from..(from + length).min(WINDOW)].fill(NOTHING);
        }
        Sensor::Stuck => {
            let value = written[from];
            written[from..].fill(value);
        }
        Sensor::Clipped => {
            for value in written {
                *value = (*value).clamp(128 - 16, 128 + 16);
            }
        }
        Sensor::Sound => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(change: impl FnOnce(&mut Parameters)) -> Dataset {
        let mut parameters = Parameters {
            windows: 600,
            ..Parameters::default()
        };
        change(&mut parameters);
        generate(&parameters).expect("in range")
    }

    /// Power of one window at a frequency, as a share of all its power.
    fn share(window: &[f64], hertz: f64) -> f64 {
        let (mut along, mut across, mut all) = (0.0, 0.0, 0.0);
        for (index, value) in window.iter().enumerate() {
            let turn = TAU * hertz * index as f64 / SAMPLES_PER_SEC;
            along += value * turn.cos();
            across += value * turn.sin();
            all += value * value;
        }
        2.0 * (along * along + across * across) / (all * window.len() as f64)
    }

    #[test]
    fn the_fault_frequencies_are_those_of_the_bearing() {
        // What manufacturers print for a 6205: 3.585 and 5.415 a turn.
        assert!((PASSES[0] - 3.5848).abs() < 1e-4, "{}", PASSES[0]);
        assert!((PASSES[1] - 5.4152).abs() < 1e-4, "{}", PASSES[1]);
    }

    #[test]
    fn each_condition_shows_at_its_frequency() {
        let data = made(|parameters| parameters.difficulty = 0.0);
        let mean = |class: u16, of: &dyn Fn(&[f64]) -> f64| {
            let rows = (0..data.rows()).filter(|row| data.labels[*row as usize] == class);
            let values: Vec<f64> = rows
                .map(|row| {
                    let window: Vec<f64> = data
                        .row(row)
                        .iter()
                        .map(|it| f64::from(*it) - ZERO)
                        .collect();
                    of(&window)
                })
                .collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let shaft = 29.5;
        assert!(mean(1, &|window| share(window, shaft)) > 0.9);
        assert!(mean(2, &|window| share(window, 2.0 * shaft)) > 0.5);
        // The blows' rhythm shows in the size of the signal.
        let rhythm = |passes: f64| {
            move |window: &[f64]| {
                let sizes: Vec<f64> = window.iter().map(|value| value.abs()).collect();
                let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
                let sizes: Vec<f64> = sizes.iter().map(|size| size - mean).collect();
                share(&sizes, passes * shaft)
            }
        };
        let (inner, outer) = (rhythm(PASSES[1]), rhythm(PASSES[0]));
        assert!(mean(4, &outer) > 5.0 * mean(4, &inner));
        assert!(mean(3, &inner) > 5.0 * mean(3, &outer));
        assert!(mean(0, &outer) < 0.05 && mean(0, &inner) < 0.05);
    }

    #[test]
    fn every_machine_is_seen_in_every_condition_equally_often() {
        let data = made(|_| {});
        let groups = data.groups.as_ref().expect("machines");
        let mut counts = [[0; CLASSES.len()]; MACHINES as usize];
        for (machine, label) in groups.of_row.iter().zip(&data.labels) {
            counts[*machine as usize][usize::from(*label)] += 1;
        }
        assert_eq!(counts, [[10; CLASSES.len()]; MACHINES as usize]);
    }

    #[test]
    fn a_bad_sensor_shows_in_a_quarter_of_the_windows_and_leaves_the_others_alone() {
        let sound = made(|_| {});
        assert!((0..sound.rows()).all(|row| !sound.bytes(row).contains(&NOTHING)));
        for (sensor, shows) in [
            (
                Sensor::Gaps,
                (|row| row.windows(16).any(|run| run == [NOTHING; 16])) as fn(&[u8]) -> bool,
            ),
            (Sensor::Stuck, |row| {
                row[WINDOW / 2..].iter().all(|value| *value == row[255])
            }),
            (Sensor::Clipped, |row| {
                row.iter().all(|value| (112..=144).contains(value))
            }),
        ] {
            let data = made(|parameters| parameters.sensor = sensor);
            let mut shown = 0;
            for row in 0..data.rows() {
                let changed = data.bytes(row) != sound.bytes(row);
                assert!(!changed || shows(data.bytes(row)), "{sensor:?} {row}");
                shown += u32::from(changed);
            }
            assert!((90..=200).contains(&shown), "{sensor:?}: {shown} of 600");
        }
    }

    #[test]
    fn each_parameter_changes_the_set() {
        let base = made(|_| {}).digest();
        assert_eq!(made(|_| {}).digest(), base);
        let changes: [fn(&mut Parameters); 4] = [
            |it| it.windows = 660,
            |it| it.difficulty = 0.31,
            |it| it.drift = 0.5,
            |it| it.seed = 2,
        ];
        for change in changes {
            assert_ne!(made(change).digest(), base);
        }
    }

    #[test]
    fn refuses_parameters_out_of_range_in_words() {
        for (change, named) in [
            ((|it| it.windows = 599) as fn(&mut Parameters), "data.size"),
            (|it| it.windows = u32::MAX, "data.size"),
            (|it| it.difficulty = f64::NAN, "data.difficulty"),
            (|it| it.drift = -0.1, "data.drift"),
        ] {
            let mut parameters = Parameters::default();
            change(&mut parameters);
            let message = generate(&parameters).expect_err("refused").to_string();
            assert!(message.starts_with(named), "{message}");
        }
        let spec = DataSpec {
            sensor: Some("tired".into()),
            ..DataSpec::named("vibration")
        };
        assert!(Parameters::from_spec(&spec).is_err());
        let spec = DataSpec::named("vibration");
        assert_eq!(Parameters::from_spec(&spec), Ok(Parameters::default()));
    }
}
