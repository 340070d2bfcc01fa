-- nvim --headless -u NONE -S e2e.lua, as `cargo xtask e2e neovim` calls it: opens a Dockerfile, edits it, and asks for all; then builds
-- examples/hello-flask (WORKSPACE, with its base image in STORE). Runs on Neovim 0.7.2, which has no `-l`.

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

local is_new = vim.fn.has('nvim-0.10') == 1

--- What was said to the user.
local told = {}
vim.notify = function(message)
  table.insert(told, message)
end

local function wait_for(holds)
  return vim.wait(60000, holds, 50)
end

local function text_of(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), '\n')
end

local function line_with(text)
  for number, line in ipairs(lines()) do
    if line:find(text, 1, true) then
      return number
    end
  end
  error('no line with ' .. text .. ' in\n' .. text_of())
end

local function press(keys)
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, false, true), 'xt', false)
end

--- Runs a command that builds and returns what it says at its end.
local function build(command)
  told = {}
  vim.cmd(command)
  wait_for(function()
    return #told > 0
  end)
  return told[1] or 'nothing'
end

local function failure()
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    if diagnostic.code == 'build-failed' then
      return diagnostic
    end
  end
end

local function hints()
  local labels = {}
  for _, hint in ipairs(vim.lsp.inlay_hint.get({ bufnr = 0 })) do
    local label = hint.inlay_hint.label
    table.insert(labels, type(label) == 'string' and label or label[1].value)
  end
  return table.concat(labels, '\n')
end

local function layers()
  vim.cmd('DfLayers')
  wait_for(function()
    return text_of():find('efficiency', 1, true) ~= nil
  end)
  check(':DfLayers shows steps', text_of():find('efficiency.*COPY templates') ~= nil, text_of())
  vim.api.nvim_win_set_cursor(0, { line_with('RUN sed'), 0 })
  press('<CR>')
  wait_for(function()
    return text_of():find('/srv/app.py', 1, true) ~= nil
  end)
  check('Enter on a step lists its files', text_of():find('/srv/requirements.txt', 1, true) ~= nil, text_of())
  vim.api.nvim_win_set_cursor(0, { line_with('/srv/app.py'), 0 })
  press('<CR>')
  wait_for(function()
    return text_of():find('title="Welcome"', 1, true) ~= nil
  end)
  check('Enter on a file shows it after the step', text_of():find('title="Welcome"', 1, true) ~= nil, text_of())
  check('it cannot be edited', not vim.bo.modifiable, vim.bo.modifiable)
  vim.cmd('only')
end

local function shell()
  vim.api.nvim_win_set_cursor(0, { line_with('COPY app.py'), 0 })
  vim.cmd('DfShell')
  wait_for(function()
    return vim.bo.buftype == 'terminal'
  end)
  check(':DfShell opens a terminal', vim.bo.buftype == 'terminal', vim.bo.buftype)
  local terminal = vim.api.nvim_get_current_buf()
  vim.fn.chansend(vim.bo.channel, 'echo; ls | tr "\\n" ","\n')
  wait_for(function()
    return text_of(terminal):find('requirements.txt,', 1, true) ~= nil
  end)
  local shown = text_of(terminal)
  check('it stands in the files of the step', shown:find('app.py,logs,requirements.txt,', 1, true) ~= nil, shown)
  vim.fn.chansend(vim.bo.channel, 'exit\n')
  vim.wait(1000)
  vim.cmd('bwipeout!')
end

local function building()
  vim.cmd('edit ' .. vim.env.WORKSPACE .. '/Dockerfile')
  vim.bo.filetype = 'dockerfile'
  local dockerfile = vim.api.nvim_get_current_buf()
  wait_for(function()
    return vim.tbl_contains(codes(), 'pip-cache-left')
  end)
  require('dfls').fix_all()
  if vim.lsp.buf.format then
    vim.lsp.buf.format()
  else
    vim.lsp.buf.formatting_sync({})
  end
  check('fixing and formatting', text_of():find('--no-cache-dir -r requirements.txt \\\n', 1, true) ~= nil, text_of())
  vim.api.nvim_win_set_cursor(0, { line_with('RUN pip'), 0 })
  local said = build('DfBuild!')
  check(':DfBuild! builds to a line', said:find('^dfls: built') ~= nil, said)
  said = build('DfBuild')
  check(':DfBuild builds', said:find('^dfls: built') ~= nil, said)
  if is_new then
    wait_for(function()
      return select(2, hints():gsub('cached', '')) == 6
    end)
    check('hints show size, time and cache', hints():find(' s, cached', 1, true) ~= nil, hints())
    local text = vim.api.nvim_get_current_line()
    vim.api.nvim_set_current_line((text:gsub('pip install', 'pip install -v')))
    wait_for(function()
      return hints():find('would run', 1, true) ~= nil
    end)
    check('hints say what would run', hints():find('would run: the command changed', 1, true) ~= nil, hints())
    vim.api.nvim_set_current_line(text)
  end
  layers()
  vim.api.nvim_set_current_buf(dockerfile)
  shell()
  vim.api.nvim_set_current_buf(dockerfile)
  local line = line_with('rm requirements.txt')
  vim.api.nvim_buf_set_lines(0, line - 1, line, false, { '    && rm requirements.txt && cp nothing.txt /srv' })
  said = build('DfBuild')
  check('a build that fails says so', said:find('exit code 1', 1, true) ~= nil, said)
  wait_for(failure)
  local found = failure() or vim.diagnostic.get(0)
  check('and is a finding at the command', found.lnum == line - 1 and found.col == 30, found)
  vim.cmd('checkhealth dfls')
  local report = text_of()
  check(':checkhealth finds both programs', report:find('dfls %d') and report:find('dfbuild %d') and not report:find('ERROR'), report)
end

local function main()
  vim.opt.runtimepath:append(vim.env.DFLS_PLUGIN)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p')
  vim.fn.writefile({ 'FROM debian AS build', 'RUNN x', 'ENV A=1', 'FROM scratch', 'COPY --from=build /a /b' }, folder .. '/Dockerfile')
  vim.cmd('edit ' .. folder .. '/Dockerfile')
  require('dfls').setup({
    cmd = { vim.env.DFLS, '--stdio' },
    settings = { builder = vim.env.DFBUILD, store = vim.env.STORE },
  })
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

  if is_new then
    local client = vim.lsp.get_clients({ name = 'dfls' })[1]
    local is_pulled = client.supports_method('textDocument/diagnostic')
    check('findings are asked for, not sent', is_pulled and #vim.diagnostic.get(0, {
      namespace = vim.lsp.diagnostic.get_namespace(client.id, true),
    }) > 0, is_pulled)
  end

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

  building()

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
