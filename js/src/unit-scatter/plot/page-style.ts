// Unit scatter, plot: the style of the page around the plot.
// In: the view's root element and its width. Out: the theme's colors, the font and the plot's size.

export interface PageStyle {
  width: number;
  height: number;
  background: string;
  text: string;
  quiet: string;
  line: string;
  font: string;
}

export function pageStyle(root: HTMLElement, width: number): PageStyle {
  const style = getComputedStyle(root);
  const color = (name: string) => style.getPropertyValue(name).trim();
  return {
    width,
    height: Math.round(Math.min(480, Math.max(320, 0.74 * width))),
    background: color("--tw-background"),
    text: color("--tw-text"),
    quiet: color("--tw-quiet"),
    line: color("--tw-line"),
    font: style.fontFamily,
  };
}
