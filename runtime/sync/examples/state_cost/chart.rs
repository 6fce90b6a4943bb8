//! The table as a picture: rates over the number of links, both axes by powers of ten.

use std::fmt::Write;

use crate::measure::{Measured, Order};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// Room for what stands at the edges: left, right, top, bottom.
const ROOM: [f64; 4] = [70.0, 190.0, 20.0, 45.0];

/// What is drawn of each measurement, its colour, and the order of keys of which it is.
type Series = (&'static str, &'static str, Order, fn(&Measured) -> f64);

const SERIES: [Series; 6] = [
    ("found, in order", "#0a7d4f", Order::Insertion, |m| {
        1e6 / m.by_pair
    }),
    ("found, at random", "#6dbb97", Order::Random, |m| {
        1e6 / m.by_pair
    }),
    ("marked", "#7a4fb5", Order::Random, |m| m.marked),
    ("linked, in order", "#1f5fbf", Order::Insertion, |m| {
        m.linked
    }),
    ("linked, at random", "#7fa8de", Order::Random, |m| m.linked),
    ("commits one by one", "#b5562a", Order::Random, |m| m.single),
];

pub(crate) fn of(all: &[Measured]) -> String {
    let links = |m: &Measured| m.links as f64;
    let rates = SERIES.iter().flat_map(|(_, _, order, rate)| {
        let of_order = all.iter().filter(|m| m.order == *order);
        of_order.map(rate)
    });
    let x = Axis::around(all.iter().map(links), ROOM[0], WIDTH - ROOM[1]);
    let y = Axis::around(rates, HEIGHT - ROOM[3], ROOM[2]);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    grid(&mut svg, &x, &y);
    let mut names = Vec::new();
    for (name, colour, order, rate) in SERIES {
        let of_order = all.iter().filter(|m| m.order == order);
        let points: Vec<(f64, f64)> = of_order.map(|m| (x.at(links(m)), y.at(rate(m)))).collect();
        let line: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            line.join(" ")
        );
        names.extend(points.last().map(|(x, y)| (*y, *x, name, colour)));
    }
    // Each beside the end of its line, or below the one above where that is too near.
    names.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = 0.0_f64;
    for (y, x, name, colour) in names {
        let (x, y) = (x + 8.0, (y + 4.0).max(free));
        free = y + 14.0;
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" fill=\"{colour}\">{name}</text>"
        );
    }
    svg + "</svg>\n"
}

fn grid(svg: &mut String, x: &Axis, y: &Axis) {
    for power in x.powers() {
        let at = x.at(power);
        let (top, foot) = (ROOM[2], HEIGHT - ROOM[3]);
        let _ = writeln!(
            svg,
            "<path d=\"M{at:.1} {top}V{foot}\" stroke=\"#ddd\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            foot + 18.0,
            short(power)
        );
    }
    for power in y.powers() {
        let at = y.at(power);
        let (left, right) = (ROOM[0], WIDTH - ROOM[1]);
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}/s</text>",
            left - 8.0,
            at + 4.0,
            short(power)
        );
    }
    let (middle, foot) = (f64::midpoint(ROOM[0], WIDTH - ROOM[1]), HEIGHT - 8.0);
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">links</text>"
    );
}

/// `10 k`, `1 M`.
fn short(n: f64) -> String {
    match n {
        ..1e3 => format!("{n}"),
        1e3..1e6 => format!("{} k", n / 1e3),
        _ => format!("{} M", n / 1e6),
    }
}

/// A logarithmic axis between whole powers of ten.
struct Axis {
    powers: [i32; 2],
    ends: [f64; 2],
}

impl Axis {
    fn around(values: impl Iterator<Item = f64>, begin: f64, end: f64) -> Self {
        let (mut least, mut most) = (f64::MAX, 1.0_f64);
        for value in values {
            least = least.min(value);
            most = most.max(value);
        }
        let least = least.log10().floor() as i32;
        Self {
            powers: [least, (most.log10().ceil() as i32).max(least + 1)],
            ends: [begin, end],
        }
    }

    fn at(&self, value: f64) -> f64 {
        let [least, most] = self.powers.map(f64::from);
        let share = (value.log10() - least) / (most - least);
        self.ends[0] + share * (self.ends[1] - self.ends[0])
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.powers[0]..=self.powers[1]).map(|power| 10_f64.powi(power))
    }
}
