source("helpers.R") # it lies in the work folder, which is the working directory

measured <- read.csv(Sys.getenv("input_measured"))
until <- Sys.getenv("param_until") # empty where the caller sent none
if (nzchar(until)) measured <- measured[measured$hour <= as.numeric(until), ]

rate <- growth_rate(measured)
if (rate$per_hour <= 0) quit(status = 4)

write.csv(rate, Sys.getenv("output_rate"), row.names = FALSE)
png(Sys.getenv("output_plot"), width = 640, height = 480, type = "cairo")
draw_growth(measured, rate, Sys.getenv("param_colour"))
invisible(dev.off())
