//! The lot as a plan in SVG 1.1.

use std::collections::HashMap;
use std::fmt::Write;

use super::{Lot, Occupancy, State};
use crate::geometry::Point;

const WIDTH: f64 = 1000.0;

/// With the readings of an occupancy, or without any.
pub(super) fn draw(occupancy: Option<&Occupancy>, lot: &Lot, aspect: f64) -> String {
    let aspect = if aspect.is_finite() { aspect.clamp(0.1, 10.0) } else { 1.0 };
    let height = (WIDTH / aspect).round();
    let readings = occupancy.map_or(&[][..], Occupancy::readings);
    let states: HashMap<_, _> = readings.iter().map(|r| (r.id.as_str(), r.state)).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" text-anchor=\"middle\">\n\
         <title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#f4f5f7\"/>\n",
        escape(&title(occupancy, lot)),
    );
    let points = |corners: &[Point]| {
        let at = |p: &Point| format!("{:.1},{:.1}", p.x * WIDTH, p.y * height);
        corners.iter().map(at).collect::<Vec<_>>().join(" ")
    };
    // Writing to a String cannot fail.
    for mask in lot.masks() {
        let _ = writeln!(svg, "<polygon points=\"{}\" fill=\"#c9ccd3\"/>", points(mask));
    }
    for space in lot.spaces() {
        let (state, colour) = match states.get(space.id.as_str()) {
            Some(State::Free) => (": free", "#2e9e5b"),
            Some(State::Occupied) => (": occupied", "#c8463c"),
            Some(State::Closed) => (": closed", "#8a8f99"),
            Some(State::Unknown) => (": unknown", "#e0a526"),
            None if occupancy.is_some() => (": unknown", "#e0a526"),
            None if space.closed => (": closed", "#8a8f99"),
            None => ("", "#4a76a8"),
        };
        let centre = space.quad.centre();
        let (x, y) = (centre.x * WIDTH, centre.y * height);
        let side = space.quad.scaled(WIDTH, height).short_side();
        let size = (side / 2.5).clamp(4.0, 18.0);
        let id = escape(&space.id);
        let _ = writeln!(
            svg,
            "<g><title>{id}{state}</title><polygon points=\"{}\" fill=\"{colour}\" \
             stroke=\"#fff\" stroke-width=\"2\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
             font-size=\"{size:.1}\" fill=\"#fff\">{id}</text></g>",
            points(&space.quad.0),
            y + size / 3.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn title(occupancy: Option<&Occupancy>, lot: &Lot) -> String {
    let name = lot.name().unwrap_or("lot");
    let Some(occupancy) = occupancy else {
        return format!("{name}: {} spaces", lot.spaces().len());
    };
    let (free, all) = (occupancy.free(), occupancy.readings().len());
    format!("{name}: {free} of {all} spaces free")
}

/// XML 1.0 escapes; characters that XML does not allow become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
