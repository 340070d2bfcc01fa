-- `:checkhealth dfls`

local M = {}

local health = vim.health or require('health')
local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local report_error = health.error or health.report_error

local function version_of(program)
  return vim.trim(vim.fn.system({ program, '--version' }))
end

function M.check()
  local config = require('dfls').config
  start('dfls')
  local server = config.cmd[1]
  if vim.fn.executable(server) == 1 then
    ok(version_of(server))
  else
    report_error('`' .. server .. '` is not installed', { ':help dfls-install' })
  end
  if vim.fn.executable('dfbuild') == 1 then
    ok(version_of('dfbuild'))
  else
    warn('`dfbuild` is not in PATH: nothing can be built from the editor')
  end
  if vim.fn.has('nvim-0.10') == 1 then
    ok('inlay hints and code lenses can be shown')
  else
    warn('before Neovim 0.10 there are no inlay hints and code lenses')
  end
end

return M
