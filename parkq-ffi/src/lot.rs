//! `parkq_lot`.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use parkq_core::{Imported, Lot, Point, Quad, Space};

use crate::boundary::{call, free, make, write};
use crate::memory::{self, Room};
use crate::pointers::{self, Array, given};
use crate::status::{Failure, parkq_status};

/// The spaces and privacy masks that one camera sees, relative to the picture, so that they fit
/// every resolution of it.
///
/// You own it from `parkq_lot_from_json` or `_import` to `parkq_lot_free`. It never changes: any
/// number of threads may use it. What is made with it keeps its own copy.
pub struct parkq_lot(pub(crate) Lot);

/// Reads a lot in parkq's own JSON (version 1; its schema is parkq-core/schema/lot-1.schema.json).
///
/// Reads `length` bytes of UTF-8 at `json`, and keeps none of them. Writes a new lot to `lot`.
/// Takes at most 128 times `length` of memory, and 64 KiB. Fails with PARKQ_STATUS_LOT, whose
/// message names the space at fault.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_from_json(
    json: *const c_char,
    length: usize,
    lot: Option<&mut MaybeUninit<Option<Box<parkq_lot>>>>,
) -> parkq_status {
    make(lot, "lot", || {
        // SAFETY: by this function's contract.
        let json = unsafe { pointers::text(json, length, "json") }?;
        let _room = room(length)?;
        Ok(parkq_lot(Lot::from_json(json)?))
    })
}

/// Room to read a lot's file of this length.
fn room(length: usize) -> Result<Room, Failure> {
    memory::reserve(length.saturating_mul(128).saturating_add(64 << 10))
}

/// Room for a text about these spaces and masks.
pub(crate) fn room_for_text<'a>(
    names: impl Iterator<Item = &'a str>,
    masks: &[Vec<Point>],
) -> Result<Room, Failure> {
    let spaces: usize = names.map(|name| (4 << 10) + 48 * name.len()).sum();
    let corners: usize = masks.iter().map(|mask| (1 + mask.len()) << 10).sum();
    memory::reserve(spaces.saturating_add(corners).saturating_add(16 << 10))
}

/// Room for a text about this lot, or copies of it.
pub(crate) fn room_to_describe(lot: &Lot) -> Result<Room, Failure> {
    let names = lot.spaces().iter().map(|space| space.id.as_str()).chain(lot.name());
    room_for_text(names, lot.masks())
}

/// What wrote a lot file that is not parkq's own.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum parkq_lot_format {
    /// PKLot's XML, in pixels.
    Pklot = 1,
    /// The JSON of Ultralytics' parking tools, in pixels.
    Ultralytics = 2,
    /// The JSON of the data set ACPDS, for one of its pictures.
    Acpds = 3,
    /// COCO's JSON, for one of its pictures.
    Coco = 4,
}

/// Reads a lot that another program wrote. What the file says of the spaces' states is not kept.
///
/// Reads `format`, one of `parkq_lot_format`, and `length` bytes of UTF-8 at `text`; where the
/// file is in pixels `width` and `height`, the size of the picture that it was drawn on, and else
/// `picture_length` bytes of UTF-8 at `picture`, the picture's name in the file; what the format
/// does not need is not looked at. Keeps none of it. Otherwise as `parkq_lot_from_json`.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_import(
    format: u32,
    text: *const c_char,
    length: usize,
    width: u32,
    height: u32,
    picture: *const c_char,
    picture_length: usize,
    lot: Option<&mut MaybeUninit<Option<Box<parkq_lot>>>>,
) -> parkq_status {
    make(lot, "lot", || {
        // SAFETY: by this function's contract.
        let file = unsafe { pointers::text(text, length, "text") }?;
        // SAFETY: by this function's contract.
        let picture = || unsafe { pointers::text(picture, picture_length, "picture") };
        let _room = room(length)?;
        let imported = match format {
            1 => Imported::pklot(file, width, height),
            2 => Imported::ultralytics(file, width, height),
            3 => Imported::acpds(file, picture()?),
            4 => Imported::coco(file, picture()?),
            _ => {
                let message = format!("format is {format}, 1..=4 is needed");
                return Err(Failure::new(parkq_status::Argument, message));
            }
        };
        Ok(parkq_lot(imported?.lot))
    })
}

/// Frees a lot; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_lot_free(lot: Option<Box<parkq_lot>>) {
    free(lot);
}

/// Writes the lot in parkq's own JSON, in UTF-8: up to `capacity` bytes to `json`, the last of
/// them a NUL, and to `count` the length without the NUL: it was cut if that is not less than
/// `capacity`. `json` may be NULL if `capacity` is 0. Takes up to 16 KiB, 4 KiB a space, 1 KiB for
/// each corner of a mask and each mask, and 48 bytes for each byte of the ids and the name, while
/// it runs.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_to_json(
    lot: Option<&parkq_lot>,
    json: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(json, capacity, count, "json") }?;
        let _room = room_to_describe(&lot.0)?;
        array.write_text(&lot.0.to_json());
        Ok(())
    })
}

/// Draws the lot as a plan in SVG: its spaces and masks, no pixel of a picture.
///
/// Reads `aspect`, the picture's width over its height, 0.1 to 10 (beyond, the nearest of these; 1
/// for what is no number). Writes as `parkq_lot_to_json` does.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_to_svg(
    lot: Option<&parkq_lot>,
    aspect: f64,
    svg: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(svg, capacity, count, "svg") }?;
        let _room = room_to_describe(&lot.0)?;
        array.write_text(&lot.0.to_svg(aspect));
        Ok(())
    })
}

/// Writes the number of the lot's spaces to `count`. Readings are numbered like them, from 0.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_lot_space_count(
    lot: Option<&parkq_lot>,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    write(count, "count", || Ok(given(lot, "lot")?.0.spaces().len()))
}

/// A point of a picture, relative to it: from 0, its left or upper edge, to 1.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_point {
    /// To the right.
    pub x: f64,
    /// Downward.
    pub y: f64,
}

/// A space's outline on the ground: four corners, one after the other round it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_quad {
    /// The corners.
    pub corner: [parkq_point; 4],
}

impl From<Quad> for parkq_quad {
    fn from(quad: Quad) -> Self {
        Self { corner: quad.0.map(|Point { x, y }| parkq_point { x, y }) }
    }
}

/// One space of a lot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct parkq_space {
    /// Where it lies.
    pub quad: parkq_quad,
    /// Width and length, metres.
    pub size_m: [f64; 2],
    /// The longest stay that is allowed, minutes; 0 if there is none.
    pub max_stay_minutes: u32,
    /// Whether it is out of service: 1 or 0.
    pub closed: u32,
}

impl parkq_lot {
    fn space(&self, index: usize) -> Result<&Space, Failure> {
        let spaces = self.0.spaces();
        spaces.get(index).ok_or_else(|| {
            let message = format!("space is {index}, the lot has {} spaces", spaces.len());
            Failure::new(parkq_status::Argument, message)
        })
    }
}

/// Writes what the lot says of a space to `out`. Reads `space`, from 0.
#[unsafe(no_mangle)]
pub extern "C" fn parkq_lot_space(
    lot: Option<&parkq_lot>,
    space: usize,
    out: Option<&mut MaybeUninit<parkq_space>>,
) -> parkq_status {
    write(out, "out", || {
        let space = given(lot, "lot")?.space(space)?;
        Ok(parkq_space {
            quad: space.quad.into(),
            size_m: space.size_m,
            max_stay_minutes: space.max_stay_minutes.unwrap_or(0),
            closed: space.closed.into(),
        })
    })
}

/// Writes the id of a space, as the lot's author wrote it, in UTF-8.
///
/// Reads `space`, from 0. Writes up to `capacity` bytes to `id`, the last of them a NUL, and to
/// `count` the id's length without the NUL, 256 at most: it was cut if that is not less than
/// `capacity`. `id` may be NULL if `capacity` is 0.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_lot_space_id(
    lot: Option<&parkq_lot>,
    space: usize,
    id: *mut c_char,
    capacity: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> parkq_status {
    call(|| {
        let lot = given(lot, "lot")?;
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(id, capacity, count, "id") }?;
        array.write_text(&lot.space(space)?.id);
        Ok(())
    })
}

/// Cuts the outline of a row of spaces into its spaces, which are equally wide on the ground: to
/// make a lot of a few clicks.
///
/// Reads `row`, from whose first corner to the second, and from the fourth to the third, the
/// spaces follow each other, and `count`, how many there are, 1 to 1000. Writes so many to
/// `quads`. PARKQ_STATUS_LOT for an outline that is not convex.
///
/// # Safety
/// The pointers are as said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn parkq_quad_row(
    row: Option<&parkq_quad>,
    count: u32,
    quads: *mut parkq_quad,
) -> parkq_status {
    call(|| {
        let row = given(row, "row")?.corner.map(|parkq_point { x, y }| Point::new(x, y));
        let mut written = MaybeUninit::uninit();
        // SAFETY: by this function's contract.
        let array = unsafe { Array::new(quads, count as usize, Some(&mut written), "quads") }?;
        array.write(Quad(row).row(count)?.into_iter().map(parkq_quad::from));
        Ok(())
    })
}
