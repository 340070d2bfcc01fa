-- nvim --headless -u NONE -S e2e.lua, with DFLS and DFLS_PLUGIN set: opens a Dockerfile, edits it, and asks for all.
-- Runs on Neovim 0.7.2, which has no `-l`.

local failures = 0

local function check(what, holds, seen)
  if holds then
    io.stdout:write('ok   ' .. what .. '\n')
  else
    failures = failures + 1
    io.stdout:write('FAIL ' .. what .. ': ' .. vim.inspect(seen) .. '\n')
  end
end

local function lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

local function codes()
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, diagnostic.code)
  end
  return found
end

local function ask(method, params)
  local answers = vim.lsp.buf_request_sync(0, 'textDocument/' .. method, params, 5000)
  for _, answer in pairs(answers or {}) do
    return answer.result
  end
end

local function at(line, character)
  return {
    textDocument = vim.lsp.util.make_text_document_params(),
    position = { line = line, character = character },
  }
end

local function main()
  vim.opt.runtimepath:append(vim.env.DFLS_PLUGIN)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p')
  vim.fn.writefile({ 'FROM debian AS build', 'RUNN x', 'ENV A=1', 'FROM scratch', 'COPY --from=build /a /b' }, folder .. '/Dockerfile')
  vim.cmd('edit ' .. folder .. '/Dockerfile')
  require('dfls').setup({ cmd = { vim.env.DFLS, '--stdio' } })
  vim.bo.filetype = 'dockerfile'

  vim.wait(20000, function()
    return #vim.diagnostic.get(0) > 0
  end, 10)
  check('findings come, in spite of a syntax error', vim.tbl_contains(codes(), 'untagged-base-image'), codes())

  vim.api.nvim_buf_set_lines(0, 1, 2, false, { 'MAINTAINER me', 'RUN cd /x' })
  vim.api.nvim_buf_set_lines(0, 0, 1, false, { 'FROM debian:12 as build' })
  vim.wait(8000, function()
    return vim.tbl_contains(codes(), 'cd-instead-of-workdir')
  end, 10)
  check('findings follow edits', not vim.tbl_contains(codes(), 'untagged-base-image'), codes())

  local hover = ask('hover', at(2, 1))
  check('hover explains', hover and vim.inspect(hover):find('RUN', 1, true), hover)
  local completion = ask('completion', at(5, 7))
  check('completion offers flags', completion and vim.inspect(completion):find('--link', 1, true), completion)
  local symbols = ask('documentSymbol', { textDocument = vim.lsp.util.make_text_document_params() })
  check('the outline has the stages', symbols and symbols[1] and symbols[1].name == 'build', symbols)
  local definition = ask('definition', at(5, 14))
  check('definition finds the stage', definition and definition[1] and definition[1].range.start.line == 0, definition)

  require('dfls').fix_all()
  local fixed = table.concat(lines(), '\n')
  check('fixing all repairs the text', fixed:find('AS build', 1, true) ~= nil, fixed)

  vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'from debian:12', 'run   a' })
  local edits = ask('formatting', vim.lsp.util.make_formatting_params({}))
  check('formatting changes what is untidy', edits and #edits > 0, edits)
  check('the commands are there', vim.fn.exists(':DfBuild') == 2 and vim.fn.exists(':DfStages') == 2, 'none')

  local find = vim.lsp.get_clients or vim.lsp.get_active_clients
  local stopped = find()
  vim.lsp.stop_client(stopped)
  vim.wait(5000, function()
    return #find() == 0
  end, 10)
  check('the server ends', #find() == 0, #find())
end

local fine, message = pcall(main)
if not fine then
  failures = failures + 1
  io.stdout:write('FAIL ' .. tostring(message) .. '\n')
end
vim.cmd(failures == 0 and 'qall!' or 'cquit!')
