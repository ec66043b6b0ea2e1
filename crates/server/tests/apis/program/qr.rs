//! QR codes as a camera reads them: from a drawing, and from a terminal.

use rqrr::PreparedImage;

/// Pixels for each module, so that a reader has something to look at.
const SCALE: usize = 4;

/// Light modules around a code.
const MARGIN: usize = 4;

/// The colours of a code, and those of all else.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const USUAL: &str = "\x1b[0m";

/// The text in a code; `dark` says of a module by column and row.
pub fn read(width: usize, dark: impl Fn(usize, usize) -> bool) -> String {
    let pixels = (width + 2 * MARGIN) * SCALE;
    let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|it| *it < width);
    let mut image = PreparedImage::prepare_from_bitmap(
        pixels,
        pixels,
        |x, y| matches!((module(x), module(y)), (Some(x), Some(y)) if dark(x, y)),
    );
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code");
    grids[0].decode().expect("a code that can be read").1
}

/// The text in an SVG whose dark modules are squares of one path: `M10 10h10v10H10V10`.
pub fn in_svg(svg: &str) -> String {
    let size: usize = attribute(svg, "viewBox").split(' ').nth(2).unwrap().parse().unwrap();
    let squares: Vec<[usize; 3]> = attribute(svg, "d").split('M').skip(1).map(square).collect();
    let side = squares[0][2];
    assert!(squares.iter().all(|square| square[2] == side), "squares of one size");
    let mut modules = vec![vec![false; size / side]; size / side];
    for [x, y, _] in squares {
        modules[y / side][x / side] = true;
    }
    read(size / side, |x, y| modules[y][x])
}

fn attribute<'s>(svg: &'s str, name: &str) -> &'s str {
    let start = svg.find(&format!(" {name}=\"")).expect("the attribute") + name.len() + 3;
    svg[start..].split('"').next().unwrap()
}

/// Left, top and side.
fn square(path: &str) -> [usize; 3] {
    let numbers: Vec<usize> =
        path.split(|it: char| !it.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect();
    [numbers[0], numbers[1], numbers[2]]
}

/// The text in a code of half blocks, in black on white.
pub fn on_a_terminal(printed: &str) -> String {
    let drawn = |line: &'_ str| -> Option<Vec<char>> {
        let line = line.trim_end_matches('\r').strip_prefix(BLACK_ON_WHITE)?.strip_suffix(USUAL)?;
        Some(line.chars().collect())
    };
    let lines: Vec<Vec<char>> = printed.lines().filter_map(drawn).collect();
    let width = lines.iter().map(Vec::len).max().expect("a code");
    read(width, |x, y| match lines.get(y / 2).and_then(|line| line.get(x)) {
        Some('█') => true,
        Some('▀') => y % 2 == 0,
        Some('▄') => y % 2 == 1,
        _ => false,
    })
}
