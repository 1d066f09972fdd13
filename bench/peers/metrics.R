# AUC with DeLong's interval, Brier, log loss, O/E, calibration intercept and slope, and net
# benefit at 20 thresholds, each with a 95 % interval, for the table named by the first argument.
suppressMessages(library(pROC))
file <- commandArgs(TRUE)[1]
t0 <- proc.time()[["elapsed"]]
d <- if (requireNamespace("data.table", quietly = TRUE)) data.table::fread(file, data.table = FALSE) else read.csv(file)
t1 <- proc.time()[["elapsed"]]
y <- d$y; p <- d$p; n <- length(y); z <- qnorm(0.975)
r <- roc(y, p, quiet = TRUE, direction = "<", levels = c(0, 1))
auc <- as.numeric(ci.auc(r, method = "delong"))
ci <- function(v) { m <- mean(v); s <- sd(v) / sqrt(n); c(m, m - z * s, m + z * s) }
brier <- ci((y - p)^2)
ll <- ci(-(y * log(p) + (1 - y) * log(1 - p)))
oe <- mean(y) / mean(p); se <- sqrt((1 - mean(y)) / sum(y)); oe <- c(oe, oe * exp(-z * se), oe * exp(z * se))
lp <- qlogis(p)
a <- glm(y ~ 1, offset = lp, family = binomial); ca <- coef(summary(a))[1, 1:2]
b <- glm(y ~ lp, family = binomial); cb <- coef(summary(b))[2, 1:2]
nb <- t(sapply(seq(0.05, 0.95, length.out = 20), function(t) ci((p >= t) * (y - (1 - y) * t / (1 - t)))))
t2 <- proc.time()[["elapsed"]]
cat(sprintf("read %.3f compute %.3f auc %.6f %.6f %.6f brier %.6f slope %.6f intercept %.6f\n", t1 - t0, t2 - t1, auc[2], auc[1], auc[3], brier[1], cb[1], ca[1]))
