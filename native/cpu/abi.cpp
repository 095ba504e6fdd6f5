int secateur_placeholder;
