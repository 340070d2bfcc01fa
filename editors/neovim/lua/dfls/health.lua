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

--- Returns the builder that the server takes: the one that is named, the one beside it, or that in PATH.
local function builder_of(server)
  local named = require('dfls').config.settings.builder
  local beside = vim.fn.fnamemodify(vim.fn.exepath(server), ':h') .. '/dfbuild'
  for _, program in ipairs({ named or beside, 'dfbuild' }) do
    if vim.fn.executable(program) == 1 then
      return program
    end
  end
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
  local builder = builder_of(server)
  if builder then
    ok(version_of(builder))
  else
    warn('`dfbuild` is neither beside `dfls` nor in PATH: nothing can be built from the editor')
  end
  if vim.fn.has('nvim-0.10') == 1 then
    ok('inlay hints and code lenses can be shown')
  else
    warn('before Neovim 0.10 there are no inlay hints and code lenses')
  end
end

return M
