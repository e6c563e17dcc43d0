import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.annotations.SerializedName;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PSQLException;

/**
 * Runs SQL through pgJDBC, as told by lines of JSON; see tests/wire/program.py. With the argument
 * {@code pool} each request has the connection of a HikariCP pool of one for as long as it lasts.
 */
final class Run {
    private static final int DEADLINE = 10; // seconds
    private static final Gson JSON = new GsonBuilder().disableHtmlEscaping().create();

    private record Request(
            @SerializedName("do") String action, String sql, int[] args, int size, String data) {}

    private record Answer(List<List<Object>> rows, String error, String sqlstate) {}

    /** Lends a connection, which is closed when its request is over. */
    private interface Source {
        Connection lend() throws SQLException;
    }

    public static void main(String[] arguments) throws IOException {
        boolean pooled = arguments.length == 1 && arguments[0].equals("pool");
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Source source = null;
        Connection own = null;
        for (String line; (line = lines.readLine()) != null; ) {
            List<List<Object>> rows = new ArrayList<>();
            Answer answer;
            try {
                if (source == null && pooled) {
                    source = pool(line)::getConnection;
                } else if (source == null) {
                    own = DriverManager.getConnection(url(line), properties(line));
                    Connection kept = own;
                    source = () -> kept;
                } else {
                    Connection connection = source.lend();
                    try {
                        carryOut(connection, JSON.fromJson(line, Request.class), rows);
                    } finally {
                        if (pooled) {
                            connection.close();
                        }
                    }
                }
                answer = new Answer(rows, null, null);
            } catch (SQLException error) {
                answer = new Answer(rows, String.valueOf(error.getMessage()), sqlstate(error));
            }
            System.out.println(JSON.toJson(answer));
        }
        try {
            if (own != null) {
                own.close();
            }
        } catch (SQLException ended) {
            // The session may have ended already.
        }
        System.exit(0);
    }

    private static void carryOut(Connection connection, Request asked, List<List<Object>> rows)
            throws SQLException, IOException {
        PGConnection postgres = connection.unwrap(PGConnection.class);
        switch (asked.action()) {
            case "run" -> run(connection, asked, rows);
            case "batch" -> batch(connection, asked);
            case "fetch" -> fetch(connection, asked, rows);
            case "copy in" -> postgres.getCopyAPI().copyIn(asked.sql(), new StringReader(asked.data()));
            case "copy out" -> {
                var data = new StringWriter();
                postgres.getCopyAPI().copyOut(asked.sql(), data);
                rows.add(List.of(data.toString()));
            }
            case "listen" -> execute(connection, "listen " + postgres.escapeIdentifier(asked.sql()));
            case "notified" -> {
                PGNotification[] told = postgres.getNotifications(DEADLINE * 1000);
                rows.add(List.of(told[0].getParameter()));
            }
            default -> throw new SQLException("pgJDBC cannot " + asked.action());
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Without arguments it is a simple query, because of {@code preferQueryMode}. */
    private static void run(Connection connection, Request asked, List<List<Object>> rows)
            throws SQLException {
        if (asked.args().length == 0) {
            execute(connection, asked.sql());
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement(asked.sql())) {
            for (int place = 0; place < asked.args().length; place++) {
                statement.setInt(place + 1, asked.args()[place]);
            }
            if (statement.execute()) {
                read(statement.getResultSet(), rows);
            }
        }
    }

    private static void batch(Connection connection, Request asked) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(asked.sql())) {
            for (int number : asked.args()) {
                statement.setInt(1, number);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    private static void fetch(Connection connection, Request asked, List<List<Object>> rows)
            throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement(asked.sql())) {
            statement.setFetchSize(asked.size());
            read(statement.executeQuery(), rows);
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    private static void read(ResultSet found, List<List<Object>> rows) throws SQLException {
        int columns = found.getMetaData().getColumnCount();
        while (found.next()) {
            List<Object> row = new ArrayList<>();
            for (int column = 1; column <= columns; column++) {
                row.add(found.getObject(column));
            }
            rows.add(row);
        }
    }

    /** What the server has said; empty where the driver itself has made the error. */
    private static String sqlstate(SQLException error) {
        for (Throwable one = error; one != null; one = one.getCause()) {
            if (one instanceof PSQLException told && told.getServerErrorMessage() != null) {
                return told.getServerErrorMessage().getSQLState();
            }
        }
        return "";
    }

    private static HikariDataSource pool(String dsn) {
        var config = new HikariConfig();
        config.setJdbcUrl(url(dsn));
        config.setDataSourceProperties(properties(dsn));
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(DEADLINE * 1000L);
        return new HikariDataSource(config);
    }

    private static String url(String dsn) {
        URI uri = URI.create(dsn);
        return "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getRawPath();
    }

    private static Properties properties(String dsn) {
        String[] login = URI.create(dsn).getRawUserInfo().split(":", 2);
        var properties = new Properties();
        properties.setProperty("user", URLDecoder.decode(login[0], StandardCharsets.UTF_8));
        properties.setProperty("password", URLDecoder.decode(login[1], StandardCharsets.UTF_8));
        properties.setProperty("connectTimeout", String.valueOf(DEADLINE));
        properties.setProperty("socketTimeout", String.valueOf(DEADLINE));
        properties.setProperty("preferQueryMode", "extendedForPrepared");
        return properties;
    }
}
