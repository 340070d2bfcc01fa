// The pictures of docs/walk.md: Neovim in a terminal that is drawn by xterm.js in a browser. `cargo xtask e2e neovim --pictures` calls it
// with TOOLS (what `cargo xtask e2e vscode` has installed), NVIM, PLUGIN, DFLS, DFBUILD, WORKSPACE, STORE, PICTURES, CHROMIUM.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { TOOLS, NVIM, PLUGIN, DFLS, DFBUILD, WORKSPACE, STORE, PICTURES, CHROMIUM } = process.env;
const { chromium } = createRequire(join(TOOLS, 'node_modules', 'x.js'))('playwright-core');
const XTERM = join(TOOLS, 'node_modules/code-server/lib/vscode/node_modules/@xterm/xterm');
const ROWS = 30;
const COLUMNS = 118;
const PATIENCE = 60_000;

const home = mkdtempSync(join(tmpdir(), 'dfls-nvim-'));
const socket = join(home, 'socket');
const init = `
vim.opt.runtimepath:append([[${PLUGIN}]])
vim.opt.termguicolors = true
vim.opt.number = true
vim.opt.signcolumn = 'yes'
vim.opt.shortmess:append('I')
vim.opt.swapfile = false
vim.opt.statusline = ' %t %m%=%l:%c '
vim.cmd('filetype plugin on | syntax on')
require('dfls').setup({
  cmd = { [[${DFLS}]], '--stdio' },
  settings = { builder = [[${DFBUILD}]], store = [[${STORE}]], codeLens = false },
})
`;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const remote = (...args) => execFileSync(NVIM, ['--server', socket, ...args], { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
const lua = (code) => remote('--remote-expr', `luaeval('${code.replaceAll("'", "''")}')`).trim();
const keys = (text) => remote('--remote-send', text);

async function until(what, ask) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    let seen;
    try {
      seen = ask();
    } catch {
      // The editor is busy, or not there yet.
    }
    if (seen) {
      return;
    }
    await pause(200);
  }
  throw new Error(`${what} does not come`);
}

const text = () => lua('table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\\n")');
const hints = (word) =>
  Number(lua(`#vim.tbl_filter(function(hint) return vim.inspect(hint):find("${word}") end, vim.lsp.inlay_hint.get({ bufnr = 0 }))`));

async function walk(shoot) {
  await until('the findings', () => Number(lua('#vim.diagnostic.get(0)')) >= 5);
  await shoot('nvim-findings');
  keys(':DfFixAll<CR>:lua vim.lsp.buf.format()<CR>');
  await until('the fixes', () => text().includes('--no-cache-dir'));
  keys('4G:DfBuild!<CR>');
  await until('the build to a line', () => hints('cached') >= 3);
  keys(':DfBuild<CR>');
  await until('the build', () => hints('cached') >= 6);
  await pause(500);
  await shoot('nvim-built');
  keys('5G$hi/pip<Esc>');
  await until('the forecast', () => hints('would run') >= 3);
  await pause(500);
  await shoot('nvim-forecast');
  keys('u:DfLayers<CR>');
  await until('the layers', () => text().includes('efficiency'));
  keys('/RUN sed<CR><CR>');
  await until('the files', () => text().includes('/srv/app.py'));
  keys(':noh<CR>');
  await pause(300);
  await shoot('nvim-layers');
  keys(':q<CR>4G:DfShell<CR>');
  await until('the shell', () => lua('vim.bo.buftype') === 'terminal');
  await pause(2500);
  keys('pwd; ls -l<CR>');
  await pause(1200);
  await shoot('nvim-shell');
  keys('exit<CR>');
  await pause(1000);
  keys('<C-\\><C-n>:bwipeout!<CR>');
  await until('the file', () => lua('vim.bo.filetype') === 'dockerfile');
  keys('10GA && cp nothing.txt /srv<Esc>:DfBuild<CR>');
  await until('the failure', () => lua('vim.inspect(vim.diagnostic.get(0))').includes('build-failed'));
  await pause(800);
  await shoot('nvim-failure');
}

writeFileSync(join(home, 'init.lua'), init);
const environment = { ...process.env, TERM: 'xterm-256color', COLORTERM: 'truecolor', HOME: home, XDG_STATE_HOME: home, LANG: 'C.UTF-8' };
const place = { cwd: WORKSPACE, env: environment };
const editor = spawn(NVIM, ['--headless', '-u', join(home, 'init.lua'), '--listen', socket, 'Dockerfile'], { ...place, stdio: 'ignore' });
// The terminal shows the editor and is not the editor: started by a loader of its own, Neovim cannot start itself again.
const command = `stty rows ${ROWS} cols ${COLUMNS}; exec '${NVIM}' --server '${socket}' --remote-ui`;
await until('the editor', () => remote('--remote-expr', '1').trim() === '1');
const terminal = spawn('script', ['-qfc', command, '/dev/null'], place);
let drawn = Buffer.alloc(0);
terminal.stdout.on('data', (data) => (drawn = Buffer.concat([drawn, data])));
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
const page = await browser.newPage({ viewport: { width: 1000, height: 620 } });
await page.setContent('<body style="margin:0;background:#14161b"><div id="place" style="display:inline-block;padding:6px 8px"></div></body>');
await page.addStyleTag({ path: join(XTERM, 'css/xterm.css') });
await page.addScriptTag({ path: join(XTERM, 'lib/xterm.js') });
await page.evaluate(
  ([rows, cols]) => {
    const theme = { background: '#14161b', foreground: '#e0e2ea' };
    window.terminal = new window.Terminal({ rows, cols, fontSize: 13, fontFamily: 'DejaVu Sans Mono, monospace', theme });
    window.terminal.open(document.querySelector('#place'));
  },
  [ROWS, COLUMNS],
);
let shown = 0;
async function shoot(name) {
  const fresh = [...drawn.subarray(shown)];
  shown = drawn.length;
  await page.evaluate((bytes) => new Promise((done) => window.terminal.write(new Uint8Array(bytes), done)), fresh);
  await pause(300);
  await page.locator('#place').screenshot({ path: join(PICTURES, `${name}.png`) });
  console.log(`ok   ${name}.png`);
}
let failed = false;
await walk(shoot).catch(async (error) => {
  console.log(`FAIL ${String(error).slice(0, 300)}`);
  failed = true;
  await shoot('failed-nvim');
});
terminal.kill();
editor.kill();
await Promise.race([browser.close(), pause(5000)]);
rmSync(home, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
