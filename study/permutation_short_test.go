//go:build !long

package study_test

const permutations = 10
