//! Changes to whole lines of a list.

const LINES: [&str; 6] = [
    "\n",
    "# comment\n",
    "  # comment\r\n",
    "  note: 'a' # b\n",
    "  \"x y\" : \"\\u00e9\"\r\n",
    "  \n",
];

/// Returns an input whose list has a line more, less or elsewhere, or which has one change more.
///
/// The list ends at the first zero byte; see the oracle.
pub fn lines(input: &[u8], seed: u32) -> Vec<u8> {
    let end = input.iter().position(|&byte| byte == 0).unwrap_or(input.len());
    let (list, changes) = input.split_at(end);
    let mut lines: Vec<Vec<u8>> =
        list.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut dice = Dice(seed);
    let (from, to) = (dice.below(lines.len()), dice.below(lines.len() + 1));
    let mut added = Vec::new();
    match dice.below(9) {
        0 if from < lines.len() => lines.insert(to, lines[from].clone()),
        1 if from < lines.len() => drop(lines.remove(from)),
        2 if to < lines.len() => lines.swap(from, to),
        3 if from < lines.len() => lines[..].rotate_left(from),
        4 if from < lines.len() => flip_end(&mut lines[from]),
        5 => lines.insert(to, LINES[dice.below(LINES.len())].into()),
        6 | 7 => lines.insert(to, entry(&mut dice)),
        _ => added = change(&mut dice),
    }
    [lines.concat(), changes.to_vec(), added].concat()
}

/// Gives a line the other line end.
fn flip_end(line: &mut Vec<u8>) {
    let content = line.strip_suffix(b"\n").unwrap_or(line);
    *line = match content.strip_suffix(b"\r") {
        Some(content) => [content, b"\n"].concat(),
        None => [content, b"\r\n"].concat(),
    };
}

/// Returns the lines of an entry as Orbit writes them, at times with those of a tombstone.
fn entry(dice: &mut Dice) -> Vec<u8> {
    let name = char::from(b"abcdefghijklmnopqrstuvwxyz"[dice.below(26)]);
    let mut entry = format!("- name: \"{name}{}\"\n", dice.below(40));
    if dice.below(2) == 0 {
        return entry.into();
    }
    entry.push_str(&format!(
        "  imageUID: \"{}\"\n  imageVersion: \"v0-0-01\"\n  imageName: \"{name}\"\n  environment: development\n  \
           image: 'docker.io/a'\n  digest: \"sha256:{}\"\n  namespace: \"development\"\n  deploymentId: \"d1\"\n",
        "A".repeat(60),
        "0f".repeat(32),
    ));
    if dice.below(3) == 0 {
        let action = "01JJACT10N0000000000000001";
        entry.push_str(&format!(
            "  deletedAt: \"2025-01-25T10:00:00Z\"\n  deletedBy: \"ada\"\n  actionId: \"{action}\"\n",
        ));
    }
    entry.into()
}

/// Returns one change more, of any kind, of any name, with a value that is taken from nowhere.
fn change(dice: &mut Dice) -> Vec<u8> {
    (0..3 + dice.below(4)).map(|n| if n == 0 { 0 } else { dice.byte() }).collect()
}

struct Dice(u32);

impl Dice {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_be_bytes()[0]
    }

    /// Returns a number less than `bound`, or 0.
    fn below(&mut self, bound: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % bound.max(1)
    }
}
