// Shared: light or dark, like the host.
// In: the host's marks on <body> and the system's preference. Out: data-tw-theme on a view's root element.
import { onEnd } from "./lifetime";

export type Theme = "light" | "dark";

/**
 * JupyterLab says it in data-jp-theme-light, VS Code in data-vscode-theme-kind, a page of our own in data-tw-theme;
 * elsewhere the system decides.
 */
export function hostTheme(body: HTMLElement, systemIsDark: boolean): Theme {
  const own = document.documentElement.dataset.twTheme;
  if (own === "light" || own === "dark") return own;
  const jupyter = body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false" ? "dark" : "light";
  const code = body.dataset.vscodeThemeKind;
  if (code !== undefined) return code.includes("dark") || code === "vscode-high-contrast" ? "dark" : "light";
  return systemIsDark ? "dark" : "light";
}

export function followTheme(root: HTMLElement, signal: AbortSignal): void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    root.dataset.twTheme = hostTheme(document.body, system.matches);
  };
  const observer = new MutationObserver(apply);
  observer.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-vscode-theme-kind"] });
  onEnd(signal, () => observer.disconnect());
  system.addEventListener("change", apply, { signal });
  apply();
}
