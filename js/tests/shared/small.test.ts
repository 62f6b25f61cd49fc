import { describe, expect, it } from "vitest";
import { decimal, percent } from "../../src/shared/format";
import { lifetime, onEnd } from "../../src/shared/lifetime";
import { cellOrigin } from "../../src/shared/sprites";
import { hostTheme } from "../../src/shared/theme";

describe("numbers as text", () => {
  it("have a true minus sign, no minus zero, and a dash where there is none", () => {
    expect(decimal(-1.234)).toBe("−1.23");
    expect(decimal(-0.001)).toBe("0.00");
    expect(decimal(null)).toBe("–");
    expect(percent(0.5)).toBe("50%");
    expect(percent(0.0312)).toBe("3.1%");
    expect(percent(1)).toBe("100%");
    expect(percent(undefined)).toBe("–");
  });
});

describe("a lifetime", () => {
  it("ends with the host's signal, or with the returned cleanup where there is none", () => {
    const host = new AbortController();
    const ended: string[] = [];
    onEnd(lifetime(host.signal).signal, () => ended.push("host"));
    const own = lifetime(undefined);
    onEnd(own.signal, () => ended.push("own"));
    host.abort();
    own.end();
    own.end();
    onEnd(own.signal, () => ended.push("late"));
    expect(ended).toEqual(["host", "own", "late"]);
  });
});

describe("a mosaic", () => {
  it("holds its cells in reading order", () => {
    const cells = { width: 8, height: 4, columns: 3 };
    expect([0, 2, 3, 5].map((at) => cellOrigin(cells, at))).toEqual([
      [0, 0],
      [16, 0],
      [0, 4],
      [16, 4],
    ]);
  });
});

describe("the theme", () => {
  function body(data: Record<string, string>): HTMLElement {
    const element = document.createElement("div");
    Object.assign(element.dataset, data);
    return element;
  }

  it("is the host's where it says one, else the system's", () => {
    expect(hostTheme(body({ jpThemeLight: "true" }), true)).toBe("light");
    expect(hostTheme(body({ jpThemeLight: "false" }), false)).toBe("dark");
    expect(hostTheme(body({ vscodeThemeKind: "vscode-dark" }), false)).toBe("dark");
    expect(hostTheme(body({ vscodeThemeKind: "vscode-high-contrast-light" }), true)).toBe("light");
    expect(hostTheme(body({}), true)).toBe("dark");
    expect(hostTheme(body({}), false)).toBe("light");
    document.documentElement.dataset.twTheme = "dark";
    expect(hostTheme(body({ jpThemeLight: "true" }), false)).toBe("dark");
    delete document.documentElement.dataset.twTheme;
  });
});
