"""What is said of PM2, its apps and their files."""

MESSAGES = {
    "pm2.keeps-list": "keep PM2's list in {path}",
}
