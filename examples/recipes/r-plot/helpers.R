# Exponential growth: density = start * exp(per_hour * hour).
growth_rate <- function(measured) {
  fit <- lm(log(density) ~ hour, data = measured)
  per_hour <- unname(coef(fit)["hour"])
  data.frame(
    start = round(exp(unname(coef(fit)["(Intercept)"])), 5),
    per_hour = round(per_hour, 5),
    doubling_hours = round(log(2) / per_hour, 5)
  )
}

draw_growth <- function(measured, rate, colour) {
  plot(density ~ hour, data = measured, pch = 19, xlab = "Hours", ylab = "Optical density")
  curve(rate$start * exp(rate$per_hour * x), add = TRUE, col = colour, lwd = 2)
}
