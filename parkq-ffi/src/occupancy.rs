//! `parkq_occupancy`: what was read.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use parkq_core::{Occupancy, Reading, State, Unknown};

use crate::boundary::{call, free, make, write};
use crate::lot::{parkq_lot, room_for_text};
use crate::pointers::{Array, given};
use crate::status::{Failure, parkq_status};

/// The readings of one frame.
///
/// You own it from `parkq_occupancy_new` to `parkq_occupancy_free`, and make one for all the
/// frames of a camera: each call that succeeds replaces what is in it. It holds states and
/// numbers, no pixel. One thread at a time may use it.
pub struct parkq_occupancy(Option<Occupancy>);

impl parkq_occupancy {
    pub(crate) fn set(&mut self, occupancy: Occupancy) {
        self.0 = Some(occupancy);
    }

    fn get(&self) -> Result<&Occupancy, Failure> {
        let empty = || Failure::new(parkq_status::Argument, "occupancy: nothing is in it yet");
        self.0.as_ref().ok_or_else(empty)
    }
}

/// The state of a space: FIWARE ParkingSpot's status.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_state {
    /// No vehicle is in it.
    Free = 1,
    /// A vehicle is in it.
    Occupied = 2,
    /// The picture does not say.
    Unknown = 3,
    /// The operator has taken it out of service; it was not read.
    Closed = 4,
}

/// Why a space's state is unknown.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_unknown {
    /// It is known.
    No = 0,
    /// A privacy mask covers too much of it.
    Masked = 1,
    /// The short side of its quad is too few pixels long.
    TooSmall = 2,
    /// The probability lies between the two thresholds.
    Unsure = 3,
    /// A reason that has no number of its own yet.
    Other = 4,
    /// Nothing is to be seen around it: the picture is of one colour there, but for noise.
    Blank = 5,
    /// It seems free, but more than a tenth of it has been destroyed with a whole vehicle.
    Redacted = 6,
}

/// One space in one frame.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_reading {
    /// The calibrated probability that it is occupied, 0 to 1; NaN where it could not be
    /// read (closed, masked, blank, redacted), which no comparison takes for free or occupied.
    pub probability: f64,
    /// Pixels per metre where it lies.
    pub pixels_per_metre: f64,
    /// The number of the space in its lot, from 0.
    pub space: u32,
    /// One of `parkq_state`.
    pub state: u32,
    /// One of `parkq_unknown`.
    pub unknown: u32,
}

impl parkq_reading {
    fn new((space, reading): (usize, &Reading)) -> Self {
        let state = match reading.state {
            State::Free => parkq_state::Free,
            State::Occupied => parkq_state::Occupied,
            State::Unknown => parkq_state::Unknown,
            State::Closed => parkq_state::Closed,
        };
        let unknown = match reading.unknown {
            None => parkq_unknown::No,
            Some(Unknown::Masked) => parkq_unknown::Masked,
            Some(Unknown::TooSmall) => parkq_unknown::TooSmall,
            Some(Unknown::Unsure) => parkq_unknown::Unsure,
            Some(Unknown::Blank) => parkq_unknown::Blank,
            Some(Unknown::Redacted) => parkq_unknown::Redacted,
            Some(_) => parkq_unknown::Other,
        };
        Self {
            probability: reading.probability.unwrap_or(f64::NAN),
            pixels_per_metre: reading.pixels_per_metre,
            space: space as u32, // a lot has at most 10,000
            state: state as u32,
            unknown: unknown as u32,
        }
    }
}

/// How many spaces are in each state.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_counts {
    /// Spaces without a vehicle.
    pub free: u32,
    /// Spaces with a vehicle.
    pub occupied: u32,
    /// Spaces that the picture says nothing of.
    pub unknown: u32,
    /// Spaces out of service.
    pub closed: u32,
    /// Lower end of the 95 % interval for the number of occupied spaces, among those that were
    /// read (closed, masked, blank and redacted ones were not).
    pub occupied_low: u32,
    /// Upper end of it.
    pub occupied_high: u32,
}

/// Makes an occupancy with nothing in it. Writes it to `occupancy`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_occupancy_new(
    occupancy: Option<&mut MaybeUninit<Option<Box<parkq_occupancy>>>>,
) -> parkq_status {
    make(occupancy, "occupancy", || Ok(parkq_occupancy(None)))
}

/// Frees an occupancy; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_occupancy_free(occupancy: Option<Box<parkq_occupancy>>) {
    free(occupancy);
}

/// Writes the counts to `counts`.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_occupancy_counts(
    occupancy: Option<&parkq_occupancy>,
    counts: Option<&mut MaybeUninit<parkq_counts>>,
) -> parkq_status {
    write(counts, "counts", || {
        let occupancy = given(occupancy, "occupancy")?.get()?;
        let interval = occupancy.occupied_interval();
        let number = |n: usize| n as u32; // a lot has at most 10,000 spaces
        Ok(parkq_counts {
            free: number(occupancy.free()),
            occupied: number(occupancy.occupied()),
            unknown: number(occupancy.count(State::Unknown)),
            closed: number(occupancy.count(State::Closed)),
            occupied_low: number(*interval.start()),
            occupied_high: number(*interval.end()),
        })
    })
}

/// Writes one reading for each space of the lot, in the lot's order: up to `capacity` of them to
/// `readings`, and to `count` how many there are. `readings` may be NULL if `capacity` is 0.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_occupancy_readings(
    occupancy: Option<&parkq_occupancy>,
    readings: *mut parkq_reading,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let occupancy = given(occupancy, "occupancy")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(readings, capacity, count, "readings") }?;
        array.write(occupancy.get()?.readings().iter().enumerate().map(parkq_reading::new));
        Ok(())
    })
}

/// Writes the readings as a versioned JSON record, with the name and SHA-256 of the model that
/// gave them, in UTF-8: up to `capacity` bytes to `json`, the last of them a NUL, and to `count`
/// the length without the NUL: it was cut if that is not less than `capacity`. `json` may be NULL
/// if `capacity` is 0. Takes as much memory as `parkq_lot_to_json`.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_occupancy_to_json(
    occupancy: Option<&parkq_occupancy>,
    json: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let occupancy = given(occupancy, "occupancy")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(json, capacity, count, "json") }?;
        let occupancy = occupancy.get()?;
        let ids = occupancy.readings().iter().map(|reading| reading.id.as_str());
        let _room = room_for_text(ids, &[])?;
        array.write_text(&occupancy.to_json());
        Ok(())
    })
}

/// Draws the lot as a plan in SVG: every space by its state, no pixel of the picture.
///
/// Reads `aspect`, the picture's width over its height, 0.1 to 10 (beyond, the nearest of these; 1
/// for what is no number). Writes as `parkq_occupancy_to_json` does.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_occupancy_to_svg(
    occupancy: Option<&parkq_occupancy>,
    lot: Option<&parkq_lot>,
    aspect: f64,
    svg: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let (occupancy, lot) = (given(occupancy, "occupancy")?, given(lot, "lot")?);
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(svg, capacity, count, "svg") }?;
        let occupancy = occupancy.get()?;
        let read = occupancy.readings().iter().map(|reading| reading.id.as_str());
        let names = lot.0.spaces().iter().map(|space| space.id.as_str()).chain(lot.0.name());
        let _room = room_for_text(names.chain(read), lot.0.masks())?;
        array.write_text(&occupancy.to_svg(&lot.0, aspect));
        Ok(())
    })
}
