//! A folder of labelled pictures.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use parkq_core::{Label, Lot, PixelFormat, Quad, RawFrame, Scores, Space};
use serde::Deserialize;

use crate::Failure;

/// What `labels.json` holds; anything else in it is not read.
#[derive(Deserialize)]
pub(crate) struct Labels {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
    #[serde(default)]
    slots: Vec<Slot>,
    /// Of each label, whether every instance is marked.
    #[serde(default)]
    labelled: BTreeMap<Label, bool>,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Image {
    pub(crate) id: u64,
    pub(crate) file_name: String,
    pub(crate) width: f64,
    pub(crate) height: f64,
    #[serde(default)]
    split: String,
    /// Labels of which not every instance is marked in this picture.
    #[serde(default)]
    mask: Vec<Label>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category: Label,
    /// Left, top, width, height in pixels.
    bbox: [f64; 4],
    /// Neither right nor wrong.
    #[serde(default)]
    ignore: bool,
}

/// A parking space.
#[derive(Deserialize)]
pub(crate) struct Slot {
    image_id: u64,
    /// In pixels.
    pub(crate) polygon: [[f64; 2]; 4],
    pub(crate) occupied: bool,
}

/// A labelled box: left, top, right, bottom in pixels of the picture as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) label: Label,
    pub(crate) edges: [f64; 4],
    pub(crate) ignore: bool,
}

impl Truth {
    pub(crate) fn height(&self) -> f64 {
        self.edges[3] - self.edges[1]
    }
}

impl Labels {
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("labels.json");
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut labels: Self = serde_json::from_str(&text)?;
        labels.folder = folder.to_owned();
        Ok(labels)
    }

    /// The pictures of a split, or all.
    pub(crate) fn images<'a>(&'a self, split: Option<&'a str>) -> impl Iterator<Item = &'a Image> {
        self.images.iter().filter(move |image| split.is_none_or(|split| image.split == split))
    }

    /// A picture with its boxes, reduced if that is asked for; boxes of less than `min_height`
    /// pixels are ignored then. `None` if it shows nothing by which to reduce it.
    pub(crate) fn shown(
        &self,
        image: &Image,
        shrink: Option<Shrink>,
        min_height: f64,
    ) -> Result<Option<(image::RgbImage, Vec<Truth>)>, Failure> {
        let (pixels, mut truths) = (self.pixels(image)?, self.truths(image));
        let pixels = match shrink {
            Some(shrink) => shrink.apply(pixels, &mut truths),
            None => Some(pixels),
        };
        for truth in &mut truths {
            truth.ignore |= truth.height() < min_height;
        }
        Ok(pixels.map(|pixels| (pixels, truths)))
    }

    pub(crate) fn pixels(&self, image: &Image) -> Result<image::RgbImage, Failure> {
        let bytes = std::fs::read(self.folder.join(&image.file_name))?;
        Ok(image::load_from_memory(&bytes)?.into_rgb8())
    }

    pub(crate) fn slots(&self, image: &Image) -> Vec<&Slot> {
        self.slots.iter().filter(|slot| slot.image_id == image.id).collect()
    }

    fn truths(&self, image: &Image) -> Vec<Truth> {
        let of = |a: &&Annotation| a.image_id == image.id;
        let truth = |a: &Annotation| {
            let [x, y, w, h] = a.bbox;
            Truth { label: a.category, edges: [x, y, x + w, y + h], ignore: a.ignore }
        };
        self.annotations.iter().filter(of).map(truth).collect()
    }

    /// Whether every instance of a label is marked in the picture, so that what is found beside
    /// them is wrong.
    pub(crate) fn exhaustive(&self, image: &Image, label: Label) -> bool {
        self.labelled.get(&label).copied().unwrap_or(false) && !image.mask.contains(&label)
    }
}

pub(crate) fn frame(pixels: image::RgbImage) -> Result<RawFrame, Failure> {
    let (width, height) = pixels.dimensions();
    Ok(RawFrame::from_pixels(PixelFormat::Rgb8, width, height, pixels.into_raw())?)
}

/// The slots of a picture as a lot; ids are their numbers. Those that are no quads, which parkq
/// would not accept, are left out.
pub(crate) fn lot_of(slots: &[&Slot], image: &Image) -> Result<Lot, Failure> {
    let space = |(i, slot): (usize, &&Slot)| {
        let relative = slot
            .polygon
            .map(|[x, y]| [(x / image.width).clamp(0.0, 1.0), (y / image.height).clamp(0.0, 1.0)]);
        let space = Space::new(i.to_string(), Quad::from(relative));
        Lot::new([space.clone()]).is_ok().then_some(space)
    };
    Ok(Lot::new(slots.iter().enumerate().filter_map(space))?)
}

/// `--score LABEL=S`.
pub(crate) fn set_score(scores: &mut Scores, text: &str) -> Result<(), Failure> {
    let (label, score) = text.split_once('=').ok_or("LABEL=S is needed")?;
    *match label_of(label)? {
        Label::Vehicle => &mut scores.vehicle,
        Label::Person => &mut scores.person,
        Label::Plate => &mut scores.plate,
        _ => &mut scores.face,
    } = score.parse()?;
    Ok(())
}

/// `--shrink LABEL=PX`: pictures are reduced until their median instance of the label is so high.
#[derive(Clone, Copy)]
pub(crate) struct Shrink {
    label: Label,
    pixels: f64,
}

impl std::str::FromStr for Shrink {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let (label, pixels) = text.split_once('=').ok_or("LABEL=PX is needed")?;
        Ok(Self { label: label_of(label)?, pixels: pixels.parse()? })
    }
}

impl Shrink {
    /// Reduces a picture and its boxes; `None` if it shows no such thing. One in which they are
    /// smaller already stays as it is.
    fn apply(self, pixels: image::RgbImage, truths: &mut [Truth]) -> Option<image::RgbImage> {
        let of = |t: &&Truth| t.label == self.label && !t.ignore;
        let mut heights: Vec<_> = truths.iter().filter(of).map(Truth::height).collect();
        heights.sort_by(f64::total_cmp);
        let median = *heights.get(heights.len() / 2)?;
        let scale = self.pixels / median;
        if scale >= 1.0 {
            return Some(pixels);
        }
        let (width, height) = pixels.dimensions();
        let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        let (w, h) = (side(width), side(height));
        let scales = [f64::from(w) / f64::from(width), f64::from(h) / f64::from(height)];
        for truth in truths {
            truth.edges = std::array::from_fn(|i| truth.edges[i] * scales[i % 2]);
        }
        let filter = image::imageops::FilterType::Triangle;
        Some(image::imageops::resize(&pixels, w, h, filter))
    }
}

fn label_of(name: &str) -> Result<Label, Failure> {
    let named = Label::ALL.into_iter().find(|label| label.to_string() == name);
    named.ok_or_else(|| format!("no label {name:?}").into())
}

/// How long pictures take. A network is prepared for the first of a size, which is not what is
/// measured: it is left out, unless no size comes twice.
#[derive(Default)]
pub(crate) struct Times {
    sizes: HashSet<(u32, u32)>,
    first: Vec<f64>,
    rest: Vec<f64>,
}

impl Times {
    pub(crate) fn take<T>(&mut self, size: (u32, u32), work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let times = if self.sizes.insert(size) { &mut self.first } else { &mut self.rest };
        times.push(milliseconds);
        done
    }

    /// Milliseconds a picture.
    pub(crate) fn mean(&self) -> f64 {
        let times = if self.rest.is_empty() { &self.first } else { &self.rest };
        times.iter().sum::<f64>() / times.len().max(1) as f64
    }
}
