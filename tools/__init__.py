"""Tools of those who maintain this repository; nothing of the product imports them."""
