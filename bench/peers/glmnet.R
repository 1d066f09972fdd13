# Times glmnet's binomial path on a table written by TestAgainstGlmnet of model/elasticnet and writes its
# coefficients. Usage: Rscript glmnet.R DATA.bin ROWS COLS L1_RATIO REPEATS COEF.csv
suppressMessages(library(glmnet))
a <- commandArgs(TRUE)
n <- as.integer(a[2]); p <- as.integer(a[3]); alpha <- as.numeric(a[4]); reps <- as.integer(a[5])
f <- file(a[1], "rb")
x <- matrix(readBin(f, "double", n * p, endian = "little"), n, p, byrow = TRUE)
y <- readBin(f, "double", n, endian = "little")
close(f)
sec <- Inf
for (i in seq_len(reps)) {
  t <- system.time(fit <- glmnet(x, y, family = "binomial", alpha = alpha))[["elapsed"]]
  sec <- min(sec, t)
}
write <- function(fit, file) {
  out <- cbind(fit$lambda, as.vector(fit$a0), t(as.matrix(fit$beta)))
  write.table(format(out, digits = 17), file, sep = ",", quote = FALSE, row.names = FALSE, col.names = FALSE)
}
write(fit, a[6])
# The same path solved to the limit, untimed: how far each side's default is from the truth.
write(glmnet(x, y, family = "binomial", alpha = alpha, lambda = fit$lambda, thresh = 1e-13, maxit = 1e6), paste0(a[6], ".exact"))
cat(sprintf("%.6f\n", sec))
