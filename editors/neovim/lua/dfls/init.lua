-- The client of `dfls` for Neovim. Plain editing works from 0.7.2 on, hints and lenses from 0.10 on.

local M = {}

local group = 'dfls'

M.config = {
  -- The command that starts the server.
  cmd = { 'dfls', '--stdio' },
  -- What the server is told: see `:help dfls-settings`.
  settings = {},
  filetypes = { 'dockerfile' },
  inlay_hints = true,
  code_lens = true,
  on_attach = nil,
}

local function root_of(file)
  local folder = vim.fn.fnamemodify(file, ':p:h')
  local marks = { 'dflint.toml', '.dockerignore', '.git' }
  local current = folder
  while true do
    for _, mark in ipairs(marks) do
      if vim.loop.fs_stat(current .. '/' .. mark) then
        return current
      end
    end
    local parent = vim.fn.fnamemodify(current, ':h')
    if parent == current then
      return folder
    end
    current = parent
  end
end

--- Draws hints anew. Neovim 0.10 draws those of a line once for each version of the text, but a build changes them without an edit.
local function redraw_hints(client_id)
  for buffer in pairs((vim.lsp.get_client_by_id(client_id) or {}).attached_buffers or {}) do
    if vim.lsp.inlay_hint.is_enabled({ bufnr = buffer }) then
      vim.lsp.inlay_hint.enable(false, { bufnr = buffer })
      vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
    end
  end
end

local function on_attach(client, buffer)
  local can = client.server_capabilities
  if M.config.inlay_hints and can.inlayHintProvider and vim.lsp.inlay_hint then
    vim.lsp.inlay_hint.enable(true, { bufnr = buffer })
    client.handlers['workspace/inlayHint/refresh'] = function(_, _, context)
      redraw_hints(context.client_id)
      return vim.NIL
    end
  end
  if M.config.code_lens and can.codeLensProvider and vim.lsp.codelens and vim.fn.has('nvim-0.10') == 1 then
    local refresh = function()
      vim.lsp.codelens.refresh({ bufnr = buffer })
    end
    vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'BufWritePost' }, {
      group = group,
      buffer = buffer,
      callback = refresh,
    })
    refresh()
  end
  if M.config.on_attach then
    M.config.on_attach(client, buffer)
  end
end

local function client_config(buffer)
  return {
    name = 'dfls',
    cmd = M.config.cmd,
    root_dir = root_of(vim.api.nvim_buf_get_name(buffer)),
    init_options = M.config.settings,
    settings = { dflint = M.config.settings },
    capabilities = M.config.capabilities or vim.lsp.protocol.make_client_capabilities(),
    on_attach = on_attach,
  }
end

-- One server for each root, as `vim.lsp.start` of newer versions keeps it.
local clients = {}

--- Starts the server for a buffer, or attaches the buffer to the one that runs.
function M.start(buffer)
  buffer = buffer or vim.api.nvim_get_current_buf()
  if vim.fn.executable(M.config.cmd[1]) == 0 then
    vim.notify_once('dfls: `' .. M.config.cmd[1] .. '` is not installed; see :help dfls-install', vim.log.levels.WARN)
    return nil
  end
  local config = client_config(buffer)
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local id = clients[config.root_dir]
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client(config)
    clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
  return id
end

local function client_of(buffer)
  local find = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in pairs(find({ name = 'dfls', bufnr = buffer })) do
    -- Neovim 0.7 does not filter.
    if client.name == 'dfls' and (not client.attached_buffers or client.attached_buffers[buffer]) then
      return client
    end
  end
end

local function uri_of(buffer)
  return vim.uri_from_bufnr(buffer)
end

--- Asks the server something about this buffer; `line` (from 0) means "to here".
local function ask(method, params, callback)
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    vim.notify('dfls: no server for this buffer', vim.log.levels.ERROR)
    return
  end
  params.uri = params.uri or uri_of(buffer)
  client.request(method, params, function(err, result)
    if err then
      vim.notify('dfls: ' .. err.message, vim.log.levels.ERROR)
    else
      callback(result)
    end
  end, buffer)
end

--- Asks for the findings again: Neovim 0.10 does so after edits only, and a build that fails is a finding, too.
local function refresh_findings(buffer)
  local client = client_of(buffer)
  if client and client.server_capabilities.diagnosticProvider and vim.lsp.handlers['textDocument/diagnostic'] then
    client.request('textDocument/diagnostic', { textDocument = { uri = uri_of(buffer) } }, nil, buffer)
  end
end

--- Builds: a stage by name or number, or all up to a line, or the last stage.
function M.build(argument)
  if type(argument) ~= 'table' then
    argument = { target = argument ~= '' and argument or nil }
  end
  local buffer = vim.api.nvim_get_current_buf()
  ask('dfls/build', vim.deepcopy(argument), function(result)
    refresh_findings(buffer)
    if result.success then
      vim.notify('dfls: built ' .. (result.image or ''):gsub('sha256:', ''):sub(1, 12))
    elseif not result.isCancelled then
      vim.notify(result.message or 'the build has failed', vim.log.levels.ERROR)
    end
  end)
end

local function bytes(size)
  local unit = 1
  local units = { 'B', 'kB', 'MB', 'GB' }
  while size >= 1000 and unit < #units do
    size = size / 1000
    unit = unit + 1
  end
  return unit == 1 and size .. ' B' or string.format('%.1f %s', size, units[unit])
end

--- Opens a file as it is after a step.
local function show_file(preview, step, path)
  ask('dfls/layerFile', { preview = preview, step = step, path = path }, function(file)
    vim.cmd('botright new')
    local text = file.text or ('(' .. bytes(file.size) .. ' that are no text)')
    vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, '\n'))
    vim.bo.buftype = 'nofile'
    vim.bo.bufhidden = 'wipe'
    vim.bo.modifiable = false
    pcall(vim.api.nvim_buf_set_name, 0, 'dflayer://' .. preview .. '/' .. step .. path)
    -- Not where the user has turned file types off.
    pcall(vim.cmd, 'filetype detect')
  end)
end

--- Shows what each step adds, changes and removes; on a step, Enter lists its files, on a file, Enter opens it.
function M.layers(argument)
  local source = vim.api.nvim_get_current_buf()
  ask('dfls/layers', argument or {}, function(layers)
    local text = {
      -- 100 % is for images that waste nothing at all.
      string.format(
        '%s, %s wasted, efficiency %.1f %%',
        bytes(layers.size),
        bytes(layers.wasted),
        math.min(layers.efficiency * 100, layers.wasted > 0 and 99.9 or 100)
      ),
    }
    local places = { {} }
    for number, step in ipairs(layers.steps) do
      local counts = string.format('+%d ~%d -%d', step.added, step.changed, step.removed)
      table.insert(text, string.format('%2d %10s %-14s %s', number, bytes(step.size), counts, (step.title:gsub('^%[[^%]]*%] ', ''))))
      table.insert(places, { step = number - 1 })
    end
    vim.cmd('botright new')
    local view = vim.api.nvim_get_current_buf()
    vim.api.nvim_buf_set_lines(view, 0, -1, false, text)
    vim.bo.buftype = 'nofile'
    vim.bo.bufhidden = 'wipe'
    vim.bo.modifiable = false
    vim.wo.wrap = false
    vim.wo.number = false
    local function enter()
      local line = vim.api.nvim_win_get_cursor(0)[1]
      local place = places[line] or {}
      if place.path then
        vim.api.nvim_buf_call(source, function()
          show_file(layers.preview, place.step, place.path)
        end)
      elseif place.step and not place.is_open then
        place.is_open = true
        vim.api.nvim_buf_call(source, function()
          ask('dfls/layerFiles', { preview = layers.preview, step = place.step }, function(answer)
            local signs = { added = '+', changed = '~', removed = '-' }
            local files = {}
            for at, file in ipairs(answer.files) do
              table.insert(files, string.format('     %s %s %10s %s', signs[file.change], file.mode, bytes(file.size), file.path))
              table.insert(places, line + at, { step = place.step, path = file.path })
            end
            vim.bo[view].modifiable = true
            vim.api.nvim_buf_set_lines(view, line, line, false, files)
            vim.bo[view].modifiable = false
          end)
        end)
      end
    end
    vim.keymap.set('n', '<CR>', enter, { buffer = view, nowait = true })
  end)
end

--- Opens a terminal in the files as they are after an instruction, or of a stage.
function M.terminal(what, argument)
  local params = vim.tbl_extend('force', { what = what }, argument)
  ask('dfls/terminal', params, function(command)
    local words = { command.program }
    vim.list_extend(words, command.arguments)
    vim.cmd('botright new')
    vim.fn.termopen(words)
    vim.cmd('startinsert')
  end)
end

local function here()
  return { line = vim.api.nvim_win_get_cursor(0)[1] - 1 }
end

--- Shows the stages of the file and which of them need which.
function M.stages()
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    return
  end
  client.request('dfls/stages', { uri = uri_of(buffer) }, function(err, stages)
    if err then
      vim.notify('dfls: ' .. err.message, vim.log.levels.ERROR)
      return
    end
    local items = {}
    for _, stage in ipairs(stages) do
      local needs = {}
      for _, number in ipairs(stage.needs) do
        table.insert(needs, stages[number + 1].name)
      end
      local text = stage.name .. ' on ' .. stage.base .. ', ' .. stage.steps .. ' steps'
      if #needs > 0 then
        text = text .. ', needs ' .. table.concat(needs, ', ')
      end
      table.insert(items, { bufnr = buffer, lnum = stage.range.start.line + 1, col = 1, text = text })
    end
    vim.fn.setloclist(0, {}, ' ', { title = 'Stages', items = items })
    vim.cmd('lopen')
  end, buffer)
end

local function register_commands()
  vim.lsp.commands['dfls.build'] = function(command)
    M.build(command.arguments[1])
  end
  vim.lsp.commands['dfls.run'] = function(command)
    M.terminal('run', command.arguments[1])
  end
  vim.lsp.commands['dfls.shell'] = function(command)
    M.terminal('shell', command.arguments[1])
  end
  vim.api.nvim_create_user_command('DfBuild', function(args)
    M.build(args.bang and here() or args.args)
  end, { nargs = '?', bang = true, desc = 'Build a stage of this Dockerfile, or with ! to this line' })
  vim.api.nvim_create_user_command('DfLayers', function(args)
    M.layers(args.bang and here() or {})
  end, { bang = true, desc = 'Show the layers of this Dockerfile, or with ! up to this line' })
  vim.api.nvim_create_user_command('DfShell', function()
    M.terminal('shell', here())
  end, { desc = 'Open a shell in the files as they are after this line' })
  vim.api.nvim_create_user_command('DfStages', M.stages, { desc = 'List the stages of this Dockerfile' })
  vim.api.nvim_create_user_command('DfFixAll', function()
    M.fix_all()
  end, { desc = 'Apply all safe fixes' })
end

--- Applies all safe fixes to the buffer.
function M.fix_all()
  local buffer = vim.api.nvim_get_current_buf()
  local client = client_of(buffer)
  if not client then
    return
  end
  local start = { line = 0, character = 0 }
  local params = {
    textDocument = { uri = uri_of(buffer) },
    range = { start = start, ['end'] = start },
    context = { diagnostics = {}, only = { 'source.fixAll.dflint' } },
  }
  local answers = vim.lsp.buf_request_sync(buffer, 'textDocument/codeAction', params, 5000) or {}
  for _, answer in pairs(answers) do
    for _, action in ipairs(answer.result or {}) do
      if action.edit then
        vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
      end
    end
  end
end

--- Starts the server for each Dockerfile that is opened.
function M.setup(options)
  M.config = vim.tbl_deep_extend('force', M.config, options or {})
  vim.api.nvim_create_augroup(group, { clear = true })
  register_commands()
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = M.config.filetypes,
    callback = function(event)
      M.start(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.tbl_contains(M.config.filetypes, vim.bo[buffer].filetype) then
      M.start(buffer)
    end
  end
end

return M
