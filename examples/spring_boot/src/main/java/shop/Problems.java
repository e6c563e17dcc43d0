package shop;

import java.util.regex.Pattern;
import java.util.UUID;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.transaction.TransactionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

/** Every error in one format (RFC 9457); its cause is in the log, under the same id. */
@RestControllerAdvice
class Problems extends ResponseEntityExceptionHandler {
    private static final Logger log = LoggerFactory.getLogger(Problems.class);
    private static final Pattern TRACEPARENT =
            Pattern.compile("00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}");

    @ExceptionHandler
    ResponseEntity<Object> invalid(Shop.Invalid error, WebRequest request) {
        return problem(error, HttpStatus.UNPROCESSABLE_ENTITY, error.getMessage(), request);
    }

    @ExceptionHandler
    ResponseEntity<Object> undetermined(Database.Undetermined error, WebRequest request) {
        return problem(error, HttpStatus.GATEWAY_TIMEOUT,
                "It is not known whether the order was placed", request);
    }

    /** The database refused, was late, or is gone. */
    @ExceptionHandler({DataAccessException.class, TransactionException.class, Database.Busy.class})
    ResponseEntity<Object> unavailable(Exception error, WebRequest request) {
        String state = Database.sqlState(error);
        if (state.equals("23505")) {
            return problem(error, HttpStatus.CONFLICT, "There is such an order already", request);
        }
        if (state.startsWith("22")) {
            return problem(error, HttpStatus.UNPROCESSABLE_ENTITY, "The request is invalid", request);
        }
        return problem(error, HttpStatus.SERVICE_UNAVAILABLE, "The database is unavailable", request);
    }

    @ExceptionHandler
    ResponseEntity<Object> bug(Exception error, WebRequest request) {
        return problem(error, HttpStatus.INTERNAL_SERVER_ERROR, "Internal error", request);
    }

    private ResponseEntity<Object> problem(
            Exception error, HttpStatus status, String title, WebRequest request) {
        ProblemDetail body = ProblemDetail.forStatus(status);
        body.setTitle(title);
        return handleExceptionInternal(error, body, new HttpHeaders(), status, request);
    }

    /** Spring's own refusals come here, too. */
    @Override
    protected ResponseEntity<Object> handleExceptionInternal(Exception error, Object body,
            HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        var sent = TRACEPARENT.matcher(String.valueOf(request.getHeader("traceparent")));
        String trace = sent.matches() ? sent.group(1) : UUID.randomUUID().toString().replace("-", "");
        var asked = ((ServletWebRequest) request).getRequest();
        String reason = String.valueOf(error.getMessage()).lines().findFirst().orElse("");
        log.error("{} {} {}: {}, {} {}", trace, asked.getMethod(), asked.getRequestURI(),
                status.value(), Database.sqlState(error), reason);
        var answered = super.handleExceptionInternal(error, body, headers, status, request);
        if (answered != null && answered.getBody() instanceof ProblemDetail problem) {
            problem.setProperty("trace_id", trace);
        }
        if (status.value() == 503 && answered != null) {
            return ResponseEntity.status(status).headers(answered.getHeaders())
                    .header("Retry-After", "1").body(answered.getBody());
        }
        return answered;
    }
}
