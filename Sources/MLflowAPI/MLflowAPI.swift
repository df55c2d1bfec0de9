// MLflowAPI
