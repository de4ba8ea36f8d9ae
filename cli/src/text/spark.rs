//! A line of small bars: how a number went over time.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for each number, the greatest one full. A number that is not 0 is higher than one that is.
pub(crate) fn line(numbers: impl IntoIterator<Item = f64>) -> String {
    let numbers: Vec<f64> = numbers.into_iter().collect();
    let greatest = numbers.iter().copied().fold(0.0, f64::max);
    let bar = |number: f64| {
        if number <= 0.0 || greatest <= 0.0 {
            return BARS[0];
        }
        let part = number / greatest;
        let steps = [0.25, 0.375, 0.5, 0.625, 0.75, 0.875];
        let above = steps.iter().filter(|step| part > **step).count();
        BARS[above + 1]
    };
    numbers.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_greatest_number_is_the_highest_bar_and_only_0_the_lowest() {
        assert_eq!(line([0.0, 1.0, 50.0, 100.0]), "▁▂▄█");
        assert_eq!(line([0.0, 0.0]), "▁▁");
        assert_eq!(line([]), "");
    }
}
