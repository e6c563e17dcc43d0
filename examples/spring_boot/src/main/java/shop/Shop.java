package shop;

import java.util.List;
import java.util.Map;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.http.HttpStatus;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Orders, with Spring MVC, HikariCP and JDBC. */
@SpringBootApplication
@RestController
public class Shop {
    record Order(long id, String customer) {}

    record NewOrder(String customer) {}

    /** A refusal that is the caller's own doing. */
    static class Invalid extends RuntimeException {
        Invalid(String title) {
            super(title);
        }
    }

    private final Database database;
    private final JdbcClient jdbc;

    Shop(Database database, JdbcClient jdbc) {
        this.database = database;
        this.jdbc = jdbc;
    }

    public static void main(String[] words) {
        SpringApplication.run(Shop.class, words);
    }

    @GetMapping("/orders")
    List<Order> list() {
        return database.read(() -> jdbc
                .sql("select id, customer from orders order by id desc limit 10")
                .query(Order.class)
                .list());
    }

    @PostMapping("/orders")
    @ResponseStatus(HttpStatus.CREATED)
    Order place(@RequestBody NewOrder sent,
            @RequestHeader(name = "Idempotency-Key", required = false) String key) {
        String customer = sent.customer();
        if (customer == null || customer.length() > 80) {
            throw new Invalid("The request is invalid");
        }
        return database.write(() -> {
            if (key != null) {
                var known = jdbc.sql("select id, customer from orders where key = ?")
                        .param(key)
                        .query(Order.class)
                        .optional();
                if (known.isPresent()) {
                    if (!known.get().customer().equals(customer)) {
                        throw new Invalid("The key belongs to another order");
                    }
                    return known.get();
                }
            }
            long id = jdbc.sql("insert into orders (customer, key) values (?, ?) returning id")
                    .params(customer, key)
                    .query(Long.class)
                    .single();
            return new Order(id, customer);
        });
    }

    @GetMapping("/shipping")
    Map<String, Integer> shipping() {
        return Map.of("cents", 490);
    }
}
