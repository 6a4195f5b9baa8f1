//! `parkq_policy`: what is private, and how it is destroyed.

use std::mem::MaybeUninit;

use parkq_core::{Fallback, Fill, Policy, Redaction};

use crate::boundary::write;
use crate::detector::parkq_scores;
use crate::status::{Failure, parkq_status};

/// What is destroyed of a vehicle on which no plate was found although one would be legible.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_fallback {
    /// The zone in which plates are.
    PlateZone = 0,
    /// All of it.
    WholeVehicle = 1,
    /// Nothing.
    Off = 2,
}

/// How the pixels of a region are destroyed. There is no blur: it can be undone.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_redaction {
    /// Filled with one colour.
    Colour = 0,
    /// Filled with the mean of what is around it.
    Surroundings = 1,
    /// Cells of gray, each the mean of what was there, rounded to one of a few levels.
    Mosaic = 2,
}

/// What is private, and how it is destroyed. Fill it with `parkq_policy_default`, then change
/// what you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_policy {
    /// Whether plates are destroyed: 1 or 0. Of this and the next two one at least is 1.
    pub plates: u32,
    /// Whether faces are destroyed: 1 or 0.
    pub faces: u32,
    /// Whether persons are destroyed: 1 or 0.
    pub persons: u32,
    /// From which score on what is found counts.
    pub scores: parkq_scores,
    /// From this score on a plate spares its vehicle the fallback; 0 to 1.
    pub sure_plate: f32,
    /// How far plates are grown on each side, as a share of their size; 0 to 4.
    pub plate_margin: f32,
    /// How far faces are grown; 0 to 4.
    pub face_margin: f32,
    /// How far persons are grown; 0 to 4.
    pub person_margin: f32,
    /// How far persons are grown upward beyond that; 0 to 4.
    pub head_margin: f32,
    /// How far anything is grown at least, pixels; 0 to 64.
    pub min_margin: f32,
    /// One of `parkq_fallback`.
    pub fallback: u32,
    /// From where to where plates are in a vehicle's height, 0 to 1 from its top.
    pub plate_zone: [f32; 2],
    /// Below this a plate is illegible, and no fallback is needed; pixels per metre.
    pub min_pixels_per_metre: f32,
    /// One of `parkq_redaction`.
    pub redaction: u32,
    /// The colour of PARKQ_REDACTION_COLOUR: red, green, blue.
    pub colour: [u8; 3],
    /// The levels of PARKQ_REDACTION_MOSAIC, at least 1.
    pub mosaic_levels: u8,
    /// The cells of PARKQ_REDACTION_MOSAIC across and down, at least 1.
    pub mosaic_cells: [u32; 2],
    /// A redaction that lets through more bits a region than this is refused; 0 to 8.
    pub max_leak_bits: f64,
}

impl parkq_policy {
    pub(crate) fn defaults() -> Self {
        let policy = Policy::default();
        let fallback = match policy.fallback {
            Fallback::WholeVehicle => parkq_fallback::WholeVehicle,
            Fallback::Off => parkq_fallback::Off,
            _ => parkq_fallback::PlateZone,
        };
        let mut this = Self {
            plates: policy.plates.into(),
            faces: policy.faces.into(),
            persons: policy.persons.into(),
            scores: policy.scores.into(),
            sure_plate: policy.sure_plate,
            plate_margin: policy.plate_margin,
            face_margin: policy.face_margin,
            person_margin: policy.person_margin,
            head_margin: policy.head_margin,
            min_margin: policy.min_margin,
            fallback: fallback as u32,
            plate_zone: policy.plate_zone,
            min_pixels_per_metre: policy.min_pixels_per_metre,
            redaction: parkq_redaction::Colour as u32,
            colour: [0; 3],
            mosaic_levels: 1,
            mosaic_cells: [1, 1],
            max_leak_bits: policy.max_leak_bits,
        };
        match policy.redaction {
            Redaction::Fill(Fill::Colour(colour)) => this.colour = colour,
            Redaction::Mosaic { cells, levels } => {
                this.redaction = parkq_redaction::Mosaic as u32;
                (this.mosaic_cells, this.mosaic_levels) = (cells, levels);
            }
            _ => this.redaction = parkq_redaction::Surroundings as u32,
        }
        this
    }

    /// How regions are destroyed.
    pub(crate) fn redaction(&self) -> Result<Redaction, Failure> {
        Ok(match self.redaction {
            0 => Redaction::Fill(Fill::Colour(self.colour)),
            1 => Redaction::Fill(Fill::Surroundings),
            2 => Redaction::Mosaic { cells: self.mosaic_cells, levels: self.mosaic_levels },
            number => return Err(wrong("redaction", number, "0..=2")),
        })
    }

    /// As `redaction`, for a caller who takes no more of the policy: no leakier than it allows.
    pub(crate) fn bounded_redaction(&self) -> Result<Redaction, Failure> {
        let redaction = self.redaction()?;
        let (actual, most) = (redaction.leak_bits(), self.max_leak_bits);
        // What is not a number allows nothing.
        if actual <= most {
            return Ok(redaction);
        }
        let message =
            format!("redaction: {actual} bits, at most max_leak_bits ({most}) are allowed");
        Err(Failure::new(parkq_status::Option, message))
    }

    pub(crate) fn policy(this: Option<&Self>) -> Result<Policy, Failure> {
        let this = this.copied().unwrap_or_else(Self::defaults);
        let fallback = match this.fallback {
            0 => Fallback::PlateZone,
            1 => Fallback::WholeVehicle,
            2 => Fallback::Off,
            number => return Err(wrong("fallback", number, "0..=2")),
        };
        let redaction = this.redaction()?;
        Ok(Policy::default()
            .plates(flag("plates", this.plates)?)
            .faces(flag("faces", this.faces)?)
            .persons(flag("persons", this.persons)?)
            .scores(this.scores.into())
            .sure_plate(this.sure_plate)
            .plate_margin(this.plate_margin)
            .face_margin(this.face_margin)
            .person_margin(this.person_margin)
            .head_margin(this.head_margin)
            .min_margin(this.min_margin)
            .fallback(fallback)
            .plate_zone(this.plate_zone)
            .min_pixels_per_metre(this.min_pixels_per_metre)
            .redaction(redaction)
            .max_leak_bits(this.max_leak_bits))
    }
}

/// Whether an option is on.
pub(crate) fn flag(name: &str, number: u32) -> Result<bool, Failure> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(wrong(name, number, "0 or 1")),
    }
}

fn wrong(name: &str, number: u32, needed: &str) -> Failure {
    Failure::new(parkq_status::Argument, format!("{name} is {number}, {needed} is needed"))
}

/// Writes the default policy to `policy`. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_policy_default(
    policy: Option<&mut MaybeUninit<parkq_policy>>,
) -> parkq_status {
    write(policy, "policy", || Ok(parkq_policy::defaults()))
}
