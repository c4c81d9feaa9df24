-- What wrk asks, and how it was answered: `wrk … --script requests.lua URL -- get|submit`.
local threads = {}
statuses = {}

function setup(thread)
   table.insert(threads, thread)
end

function init(arguments)
   if arguments[1] == "submit" then
      submit_files()
   end
end

-- Each request sends a file that was never sent before, so that equal bytes are not stored once for all.
function submit_files()
   local random = io.open("/dev/urandom", "rb")
   local run = random:read(8):gsub(".", function(byte) return string.format("%02x", byte:byte()) end)
   random:close()
   local boundary = "boundary-of-the-benchmark"
   local head = "--" .. boundary .. "\r\n"
      .. 'Content-Disposition: form-data; name="input_data"; filename="in.txt"\r\n'
      .. "Content-Type: text/plain\r\n\r\n"
   local tail = "\r\n--" .. boundary .. "--\r\n"
   local headers = { ["Content-Type"] = "multipart/form-data; boundary=" .. boundary }
   local number = 0
   request = function()
      number = number + 1
      return wrk.format("POST", nil, headers, head .. run .. string.format("%016d\n", number) .. tail)
   end
end

function response(status)
   local key = tostring(status)
   statuses[key] = (statuses[key] or 0) + 1
end

function done()
   local words = {}
   for _, thread in ipairs(threads) do
      for status, count in pairs(thread:get("statuses")) do
         table.insert(words, string.format('"%s": %d', status, count))
      end
   end
   print("statuses {" .. table.concat(words, ", ") .. "}")
end
